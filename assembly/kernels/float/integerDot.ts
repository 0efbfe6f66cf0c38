// Around integer products with zero points known at run time: where their accumulators start, and what multiplies their sums.

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
