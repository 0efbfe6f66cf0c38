// Epilogues one channel at a time: the fixed targets, slope sides, and exact decisions near a tie.
import { tieSign } from "./expansion";
import { requantizeDouble, requantizeSingle } from "./fixedPoint";
import {
  ADD, ADD32, B1, B2, F1, F2, HIGH, LOW, M, MAX, MIN, MODE_DOUBLE, MODE_FIXED_SINGLE, MODE_FLOAT32, MODE_NEAR_TIE, MODE_PROVEN_SINGLE,
  MODE_SINGLE, MUL, MUL32, NEAR, OUT_BYTES, OUT_SCALE, R, SLOPE, SLOPE_SET, ZERO,
} from "./epilogue";

/** Stores the 8 outputs of one row of int32 accumulators; every mode but raw, real and fixed64. */
export function scalarRow(mode: i32, acc: usize, header: usize, block: usize, c: usize): void {
  for (let lane = 0; lane < 8; ++lane)
    storeCode(c, lane, load<i32>(header, OUT_BYTES), codeOf(mode, <f64>load<i32>(acc + (<usize>lane << 2)), header, block, lane));
}

/** Stored code of an exact integer x, |x| < 2^53. */
export function codeOf(mode: i32, x: f64, header: usize, block: usize, lane: i32): i32 {
  if (mode == MODE_DOUBLE || mode == MODE_NEAR_TIE || mode == MODE_SINGLE) return codeOfReal(mode, x, header, block, lane);
  return mode == MODE_FLOAT32 || mode == MODE_PROVEN_SINGLE ? codeOfFloat32(x, header, block, lane) : codeOfFixed(mode, <i64>x, header, block, lane);
}

@inline export function storeCode(c: usize, lane: i32, outBytes: i32, code: i32): void {
  if (outBytes == 1) store<u8>(c + lane, <u8>code);
  else store<u16>(c + (<usize>lane << 1), <u16>code);
}

/** The doubles of one side (slope or not) of channel `lane`: offsets MUL … B2 apply to the result. */
@inline function side(block: usize, lane: i32, slope: bool): usize {
  return block + (<usize>lane << 3) + (slope ? SLOPE_SET : 0);
}

/** Stored code of an exact integer accumulator x, |x| < 2^53: RNE(x·mul + add), clamped, + zero. In modes nearTie and single a value within the margin of
 *  k + ½ (k = floor(v): the margin is far below ½) is decided by the sign of x·(f1 + f2) + b1 + b2 − (k + ½)·outScale; a tie goes to even. */
export function codeOfReal(mode: i32, x: f64, header: usize, block: usize, lane: i32): i32 {
  let s = side(block, lane, false);
  let v = x * load<f64>(s, MUL) + load<f64>(s, ADD);
  if (v < 0 && load<i32>(block, SLOPE)) {
    s = side(block, lane, true);
    v = x * load<f64>(s, MUL) + load<f64>(s, ADD);
  }
  v = min(max(v, load<f64>(header, LOW)), load<f64>(header, HIGH));
  let rounded = nearest(v);
  if (mode != MODE_DOUBLE && abs(v - rounded) >= load<f64>(header, NEAR)) {
    const k = floor(v);
    const sign = tieSign(x, load<f64>(s, F1), load<f64>(s, F2), load<f64>(s, B1), load<f64>(s, B2), k + 0.5, load<f64>(header, OUT_SCALE));
    rounded = sideOfTie(k, sign);
  }
  return <i32>rounded + load<i32>(header, ZERO);
}

/** RNE of a value whose distance to k + ½ has this sign. */
@inline export function sideOfTie(k: f64, sign: i32): f64 {
  return sign > 0 ? k + 1 : sign < 0 ? k : nearest(k + 0.5);
}

/** Stored code of the fixed targets. The slope side applies where the accumulator (bias included) is negative. */
export function codeOfFixed(mode: i32, x: i64, header: usize, block: usize, lane: i32): i32 {
  const at = block + (<usize>lane << 2) + (x < 0 && load<i32>(block, SLOPE) ? SLOPE_SET : 0);
  const m = load<i32>(at, M), r = load<i32>(at, R);
  const q = mode == MODE_FIXED_SINGLE ? requantizeSingle(x, m, r) : requantizeDouble(x, m, r);
  const code = <i64>q + <i64>load<i32>(header, ZERO);
  return <i32>min(max(code, <i64>load<i32>(header, MIN)), <i64>load<i32>(header, MAX));
}

/** Stored code in float32: RNE(f32(f32(f32(x)·m) + b)) clamped, + zero; b = 0 in target ort. The slope side applies where x is negative. */
function codeOfFloat32(x: f64, header: usize, block: usize, lane: i32): i32 {
  const at = block + (<usize>lane << 2) + (x < 0 && load<i32>(block, SLOPE) ? SLOPE_SET : 0);
  const v = <f64>(<f32>x * load<f32>(at, MUL32) + load<f32>(at, ADD32));
  return <i32>nearest(min(max(v, load<f64>(header, LOW)), load<f64>(header, HIGH))) + load<i32>(header, ZERO);
}
