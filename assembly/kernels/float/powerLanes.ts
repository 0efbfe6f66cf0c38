// Squares and cubes of float32 in lanes, with the bits of pow. x² is exact in double (48 bits), so t = x² or x²·x is the power (1 + δ), |δ| ≤ 2⁻⁵³; pow
// is within an ulp of it too. Both round to the same float32 unless t lies within a few ulps of the middle between two of them, where the low 29
// bits are 2²⁸, or outside the normal numbers; there pow itself decides.
import { pow } from "../../numerics/elementary";

/** Scratch page; an engine builds a vector constant anew at each use, in several instructions, a load is one. */
const CONSTANTS: usize = SCRATCH + 128;
const UNSURE: i32 = 16; // units of the double's last place around the middle

export function preparePowers(): void {
  store<f64>(CONSTANTS, 1e-37);
  store<f64>(CONSTANTS, 1e38, 8);
  store<i64>(CONSTANTS, 0x10000000 - UNSURE, 16);
  store<i64>(CONSTANTS, 0x1fffffff, 24);
  store<i64>(CONSTANTS, 2 * UNSURE, 32);
}

/** All ones where float32 rounds t as it rounds the power. */
@inline
function certain(t: v128): v128 {
  const size = f64x2.abs(t);
  const around = v128.and(i64x2.sub(t, v128.load64_splat(CONSTANTS + 16)), v128.load64_splat(CONSTANTS + 24)); // below 2^29
  const normal = v128.and(f64x2.gt(size, v128.load64_splat(CONSTANTS)), f64x2.lt(size, v128.load64_splat(CONSTANTS + 8)));
  const exact = f64x2.eq(t, f64x2.splat(0)); // of ±0 alone: a double holds the cube of the smallest float32
  return v128.or(exact, v128.and(normal, i64x2.gt_s(around, v128.load64_splat(CONSTANTS + 32))));
}

@inline
function power(x: v128, cubic: bool): v128 {
  const square = f64x2.mul(x, x);
  return cubic ? f64x2.mul(square, x) : square;
}

/** x^exponent, 2 or 3, of four elements. */
@inline
export function powerLanes(x: v128, exponent: f32): v128 {
  const cubic = exponent == 3;
  const low = power(f64x2.promote_low_f32x4(x), cubic);
  const high = power(f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3)), cubic);
  if (!i64x2.all_true(v128.and(certain(low), certain(high)))) return eachPower(x, exponent);
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

function eachPower(x: v128, exponent: f32): v128 {
  const a = <f32>pow(<f64>f32x4.extract_lane(x, 0), <f64>exponent), b = <f32>pow(<f64>f32x4.extract_lane(x, 1), <f64>exponent);
  const c = <f32>pow(<f64>f32x4.extract_lane(x, 2), <f64>exponent), d = <f32>pow(<f64>f32x4.extract_lane(x, 3), <f64>exponent);
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}
