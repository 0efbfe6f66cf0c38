// The exponential function and tanh of four float32: double arithmetic that is accurate enough to round, with a test that it was; a vector with a
// lane too near a rounding boundary of float32 (one in 30,000), or out of range, is left to the exact lanes.
//
// e^y = 2^q·2^(j/64)·e^r: n = RNE(64·y/ln 2) = 64q + j, r = y − n·ln 2/64, |r| ≤ 0.00542; e^r − 1 by its Taylor polynomial, up to r^4, in tanh r^5.
// |y| ≤ 86 (44 in tanh). Errors relative to the result: the polynomial's rest, 0.00542^5/5! < 2^−44.5 (in tanh 0.00542^5/6! < 2^−47 of e^r − 1); n·ln 2/64,
// at most 86·2^−53 for the constant and as much for the product: 2^−45.5; a power of the table, six products, 2^−49.8 (in tanh, where 1 is taken off, 2^−47); the
// arithmetic, ten roundings, below 2^−48. Together less than 2^−43.5: 2^10 units of the last place of a double. The exact lanes' own error is
// below one unit. MARGIN, 2^11, covers both.

/** Scratch page, behind the constants of tanhLanes. */
const CONSTANTS: usize = SCRATCH + 400;
/** Scratch page: constants of 32 bits. */
const WORDS: usize = SCRATCH + 480;
const MARGIN: i32 = 2048;
/** Scratch page: 2^(j/64), j < 64, to its end. */
const POWERS: usize = SCRATCH + 512;
const MAGIC: f64 = 6755399441055744; // 1.5·2^52

export function prepareGates(): void {
  put(0, 92.33248261689366); // 64/ln 2
  put(1, MAGIC);
  put(2, 0.010830424696249145); // ln 2/64
  put(3, 0.008333333333333333); // 1/5!
  put(4, 0.041666666666666664);
  put(5, 0.16666666666666666);
  put(6, 0.5);
  put(7, 1);
  put(8, 2);
  put(9, 22);
  store<i32>(WORDS, 0x10000000 - MARGIN);
  store<i32>(WORDS, 0x1fffffff, 4);
  store<i32>(WORDS, 2 * MARGIN, 8);
  store<f32>(WORDS, 86, 12);
  store<f32>(WORDS, 1, 16);
  store<f64>(POWERS, 1);
  double(1, 1.0108892860517005); // 2^(1/64)
  double(2, 1.0218971486541166);
  double(4, 1.0442737824274138);
  double(8, 1.0905077326652577);
  double(16, 1.189207115002721);
  double(32, 1.4142135623730951);
}

@inline
function put(which: usize, value: f64): void {
  store<f64>(CONSTANTS + (which << 3), value);
}

/** The next `count` powers: those before times 2^(count/64). */
function double(count: usize, factor: f64): void {
  for (let i: usize = 0; i < count << 3; i += 8) store<f64>(POWERS + (count << 3) + i, factor * load<f64>(POWERS + i));
}

@inline
function at(which: usize): v128 {
  return v128.load64_splat(CONSTANTS + (which << 3));
}

@inline
function word(which: usize): v128 {
  return v128.load32_splat(WORDS + (which << 2));
}

/** 1.5·2^52 + n: n in the low bits. */
@inline
function shiftedSteps(y: v128): v128 {
  return f64x2.add(f64x2.mul(y, at(0)), at(1));
}

@inline
function rest(y: v128, shifted: v128): v128 {
  return f64x2.sub(y, f64x2.mul(f64x2.sub(shifted, at(1)), at(2)));
}

/** 2^q·2^(j/64): a whole power is added to the exponent. */
@inline
function powerOf(shifted: v128): v128 {
  const first = POWERS + (<usize>(i32x4.extract_lane(shifted, 0) & 63) << 3);
  const second = POWERS + (<usize>(i32x4.extract_lane(shifted, 2) & 63) << 3);
  return i64x2.add(v128.load64_lane(second, v128.load64_zero(first), 1), i64x2.shl(i64x2.shr_u(shifted, 6), 52));
}

/** e^y for |y| ≤ 86. */
@inline
export function quickExp(y: v128): v128 {
  const shifted = shiftedSteps(y);
  const r = rest(y, shifted);
  const z = f64x2.mul(r, r);
  const s = f64x2.add(f64x2.add(at(6), f64x2.mul(r, at(5))), f64x2.mul(z, at(4)));
  const power = powerOf(shifted);
  return f64x2.add(power, f64x2.mul(power, f64x2.add(r, f64x2.mul(z, s))));
}

/** tanh m for m in [0, 22]: E/(E + 2), E = e^2m − 1 = (P − 1) + P·(e^r − 1) with a power P ≥ 1: no digits cancel. */
@inline
export function quickTanh(m: v128): v128 {
  const y = f64x2.add(m, m);
  const shifted = shiftedSteps(y);
  const r = rest(y, shifted);
  const z = f64x2.mul(r, r);
  const s = f64x2.add(f64x2.add(at(6), f64x2.mul(r, at(5))), f64x2.mul(z, f64x2.add(at(4), f64x2.mul(r, at(3)))));
  const power = powerOf(shifted);
  const e = f64x2.add(f64x2.sub(power, at(7)), f64x2.mul(power, f64x2.add(r, f64x2.mul(z, s))));
  return f64x2.div(e, f64x2.add(e, at(8)));
}

/** Magnitudes of x below tanh's bound; NaN passes. */
@inline
export function bounded(m: v128): v128 {
  return f64x2.pmin(m, at(9));
}

/** Bits in the low words of doubles, which a float32 drops: 2^28 is half a unit. All ones where one of four is within MARGIN units of half: nobody
 *  can say there which way the exact function rounds. */
@inline
export function doubtful(low: v128, high: v128): v128 {
  const around = v128.and(i32x4.sub(i32x4.shuffle(low, high, 0, 2, 4, 6), word(0)), word(1));
  return i32x4.lt_s(around, word(2));
}

/** All ones where |x| is too large for quickExp; not for NaN. */
@inline
export function beyond(x: v128): v128 {
  return f32x4.gt(f32x4.abs(x), word(3));
}

/** 1 in float32. */
@inline
export function one(): v128 {
  return word(4);
}
