// float32 to stored codes as ONNX Runtime rounds: clamp(RNE(f32(x/scale)) + zero); NaN gives the zero point, infinities clamp.
import { CHUNK, CODES, elementSize, storeChunk } from "../linear/codes";

@unmanaged
class QuantizeSingleArgs {
  input: usize;
  output: usize;
  outKind: i32;
  zero: i32;
  min: i32;
  max: i32;
  scale: usize;
}

/** Four codes of the quotients v, in int32. The clamp comes before the rounding: RNE keeps integers, so the order does not matter. */
@inline
export function roundedLanes(v: v128, low: v128, high: v128, zero: v128): v128 {
  const number = v128.and(v, f32x4.eq(v, v));
  return i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.max(low, f32x4.min(high, number)))), zero);
}

/** Vectors of four read up to 12 bytes beyond the end, inside the arena. */
export function quantize_single(args: usize, begin: i32, end: i32): void {
  const p = changetype<QuantizeSingleArgs>(args);
  const scale = f32x4.splat(<f32>load<f64>(p.scale));
  const low = f32x4.splat(<f32>(p.min - p.zero)), high = f32x4.splat(<f32>(p.max - p.zero));
  const zero = i32x4.splat(p.zero);
  for (let i = begin; i < end; i += CHUNK) {
    const count = min(end - i, CHUNK);
    const input = p.input + (<usize>i << 2);
    for (let lane = 0; lane < count; lane += 4) {
      const at = <usize>lane << 2;
      v128.store(CODES + at, roundedLanes(f32x4.div(v128.load(input + at), scale), low, high, zero));
    }
    storeChunk(p.outKind, CODES, count, p.output + i * elementSize(p.outKind));
  }
}
