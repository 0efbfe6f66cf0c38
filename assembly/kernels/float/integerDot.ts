// Around integer products with parameters known at run time: where their accumulators start, and what they become as float32.

@unmanaged
class StartValuesArgs {
  zero: usize; // f64, one
  shift: i32; // the stored zero point is zero + shift
  sums: usize; // i32 per column
  output: usize; // i32 per column
}

/** start[n] = −zero·sums[n], modulo 2^32. */
export function start_values(args: usize, begin: i32, end: i32): void {
  const p = changetype<StartValuesArgs>(args);
  const zero = <i32>load<f64>(p.zero) + p.shift;
  for (let i: usize = begin; i < <usize>end; i++) store<i32>(p.output + (i << 2), -zero * load<i32>(p.sums + (i << 2)));
}

@unmanaged
class NegatedZerosArgs {
  zero: usize; // f64 per row
  shift: i32;
  output: usize; // i32 per row
}

/** −(zero + shift) of each row: what multiplies the columns' sums. */
export function negated_zeros(args: usize, begin: i32, end: i32): void {
  const p = changetype<NegatedZerosArgs>(args);
  for (let i: usize = begin; i < <usize>end; i++) store<i32>(p.output + (i << 2), -(<i32>load<f64>(p.zero + (i << 3)) + p.shift));
}

@unmanaged
class RescaleArgs {
  input: usize; // i32, rows of n
  scale: usize; // float32, one or one per column
  perColumn: i32;
  bias: usize; // float32 per column, or 0
  output: usize; // float32
  n: i32;
}

/** float32(float32(acc)·scale) + bias, every operation rounded, as Cast, Mul and Add are. units = rows. */
export function rescale_s32(args: usize, begin: i32, end: i32): void {
  const p = changetype<RescaleArgs>(args);
  const n = p.n;
  const scales = v128.load32_splat(p.scale);
  for (let row = begin; row < end; row++) {
    const from = p.input + (<usize>(row * n) << 2);
    const to = p.output + (<usize>(row * n) << 2);
    let i: usize = 0;
    for (; i + 4 <= <usize>n; i += 4) {
      const at = i << 2;
      let y = f32x4.mul(f32x4.convert_i32x4_s(v128.load(from + at)), p.perColumn ? v128.load(p.scale + at) : scales);
      if (p.bias) y = f32x4.add(y, v128.load(p.bias + at));
      v128.store(to + at, y);
    }
    for (; i < <usize>n; i++) {
      const at = i << 2;
      let y = <f32>load<i32>(from + at) * load<f32>(p.scale + (p.perColumn ? at : 0));
      if (p.bias) y += load<f32>(p.bias + at);
      store<f32>(to + at, y);
    }
  }
}
