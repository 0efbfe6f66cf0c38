// Between stored codes and reals: quantize, dequantize, binary16 rounding.
// q = clamp(RNE(x/scale) + zero); NaN gives the zero point, infinities clamp, −0 is 0 (numerics.md §4).
import { roundToHalf } from "../../numerics/half";
import { CHUNK, CODES, LEFT, elementSize, loadChunk, loadCode, storeChunk, storeCode } from "../linear/codes";

@unmanaged
class QuantizeArgs {
  input: usize;
  output: usize;
  outKind: i32;
  zero: i32;
  min: i32;
  max: i32;
  scale: usize;
}

@unmanaged
class DequantizeArgs {
  input: usize;
  output: usize;
  inKind: i32;
  zero: i32;
  scale: usize;
}

@unmanaged
class HalfRoundArgs {
  input: usize;
  output: usize;
}

/** One value. The clamp comes before the zero point is added: RNE keeps integers, so the order does not matter. */
@inline
function code(x: f64, p: QuantizeArgs, scale: f64): i32 {
  if (x != x) return max(p.min, min(p.max, p.zero));
  const low = <f64>(p.min - p.zero);
  const high = <f64>(p.max - p.zero);
  return <i32>nearest(max<f64>(low, min<f64>(high, x / scale))) + p.zero;
}

/** Two lanes: x / scale, NaN to 0, clamp, round. */
@inline
function pair(x: v128, scale: v128, low: v128, high: v128): v128 {
  const quotient = v128.and(f64x2.div(x, scale), f64x2.eq(x, x));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(f64x2.max(low, f64x2.min(high, quotient))));
}

export function quantize_f32(args: usize, begin: i32, end: i32): void {
  const p = changetype<QuantizeArgs>(args);
  const scale = f64x2.splat(load<f64>(p.scale));
  const low = f64x2.splat(<f64>(p.min - p.zero));
  const high = f64x2.splat(<f64>(p.max - p.zero));
  const zero = i32x4.splat(p.zero);
  for (let i = begin; i < end; i += CHUNK) {
    const n = min(end - i, CHUNK);
    const input = p.input + (<usize>i << 2);
    let lane = 0;
    for (; lane <= n - 4; lane += 4) {
      const x = v128.load(input + (<usize>lane << 2));
      const first = pair(f64x2.promote_low_f32x4(x), scale, low, high);
      const second = pair(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0)), scale, low, high);
      v128.store(CODES + (<usize>lane << 2), i32x4.add(v128.shuffle<i64>(first, second, 0, 2), zero));
    }
    for (; lane < n; lane++) store<i32>(CODES + (<usize>lane << 2), code(<f64>load<f32>(input + (<usize>lane << 2)), p, load<f64>(p.scale)));
    storeChunk(p.outKind, CODES, n, p.output + i * elementSize(p.outKind));
  }
}

export function from_real(args: usize, begin: i32, end: i32): void {
  const p = changetype<QuantizeArgs>(args);
  const scale = load<f64>(p.scale);
  const size = elementSize(p.outKind);
  for (let i = begin; i < end; i++) storeCode(p.outKind, p.output + i * size, code(load<f64>(p.input + (<usize>i << 3)), p, scale));
}

/** scale·(stored − zero): 24 + 17 bits, exact in double, one rounding to float32. */
export function dequantize_q(args: usize, begin: i32, end: i32): void {
  const p = changetype<DequantizeArgs>(args);
  const scale = f64x2.splat(load<f64>(p.scale));
  const size = elementSize(p.inKind);
  for (let i = begin; i < end; i += CHUNK) {
    const n = min(end - i, CHUNK);
    loadChunk(p.inKind, p.input + i * size, 1, n, p.zero, LEFT);
    const output = p.output + (<usize>i << 2);
    let lane = 0;
    for (; lane <= n - 2; lane += 2) {
      const real = f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(LEFT + (<usize>lane << 2))), scale);
      store<i64>(output + (<usize>lane << 2), i64x2.extract_lane(f32x4.demote_f64x2_zero(real), 0));
    }
    for (; lane < n; lane++) {
      store<f32>(output + (<usize>lane << 2), <f32>(<f64>load<f32>(LEFT + (<usize>lane << 2)) * load<f64>(p.scale)));
    }
  }
}

export function to_real(args: usize, begin: i32, end: i32): void {
  const p = changetype<DequantizeArgs>(args);
  const scale = load<f64>(p.scale);
  const size = elementSize(p.inKind);
  for (let i = begin; i < end; i++) {
    store<f64>(p.output + (<usize>i << 3), scale * <f64>(loadCode(p.inKind, p.input + i * size) - p.zero));
  }
}

export function half_round(args: usize, begin: i32, end: i32): void {
  const p = changetype<HalfRoundArgs>(args);
  for (let i = begin; i < end; i++) {
    store<f32>(p.output + (<usize>i << 2), <f32>roundToHalf(load<f32>(p.input + (<usize>i << 2))));
  }
}
