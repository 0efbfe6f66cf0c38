// Add, Sub and Mul of quantized operands in exact real arithmetic (numerics.md §4).
// Add, Sub: t = (sa·na ± sb·nb)/sy. Mul: t = (sa·sb)·na·nb/sy. Result: clamp(RNE(t) + outZero).
// Float arithmetic gives t with a known error bound; lanes that lie nearer to a tie than the bound are decided exactly:
// float32 where the bound allows it, then double, then the exact sign of N − tie·sy.
import { nextRow, position, rowsPerUnit, startWalk, strideOf } from "./walk";
import { CHUNK, CODES, LEFT, Q16, Q8, RIGHT, elementSize, loadChunk, storeChunk } from "./codes";
import { roundExact, setProduct } from "./decide";
import { BYTES, FLOATS, REPEATED, byteLanes, prepareBytes, repeated } from "./byteLanes";
import { loadQ8 } from "../../simd/q8";

const VECTOR: i32 = 16;

/** How a row is computed: through scratch, or in vectors, plus 2 · what the second operand is. */
const MIXED: i32 = 0;
const SUM: i32 = 1;
const PRODUCT: i32 = 2;

@unmanaged
class LinearBinaryArgs {
  a: usize;
  b: usize;
  output: usize;
  aKind: i32;
  bKind: i32;
  outKind: i32;
  rank: i32;
  shape: usize;
  aZero: i32;
  bZero: i32;
  outZero: i32;
  min: i32;
  max: i32;
  op: i32; // 0 add or sub, 1 mul
  reals: usize;
}

/** Constants (src/kernels/elementwiseArgs.ts linearReals). */
@unmanaged
class LinearReals {
  first: f64; // sa, or sa·sb
  second: f64; // ±sb, or 0
  scale: f64; // sy
  eps: f64; // bound of the double path's error, LSB
  firstRatio: f64; // fround(first / sy)
  secondRatio: f64; // fround(second / sy)
  epsSingle: f64; // bound of the float32 path's error; 1: not to be used, 0: float32 is exact here, ties included
}

export function linear_binary(args: usize, begin: i32, end: i32): void {
  const p = changetype<LinearBinaryArgs>(args);
  const reals = changetype<LinearReals>(p.reals);
  const second = secondOperand(p);
  if (second < 0 || reals.epsSingle >= 1) return rows(p, begin, end, MIXED);
  // Careful from ½ − eps on, less 2^−24 for its rounding to float32.
  const limit: f32 = reals.epsSingle == 0 ? 1 : <f32>(0.5 - reals.epsSingle - 1.0 / 16777216);
  const ca = <f32>reals.firstRatio, cb = <f32>reals.secondRatio;
  if (!turned(p)) prepareBytes(ca, cb, limit, p.aZero, p.bZero, p.outZero, p.min, p.max);
  else prepareBytes(p.op == 1 ? ca : cb, ca, limit, p.bZero, p.aZero, p.outZero, p.min, p.max);
  rows(p, begin, end, 2 * second + (p.op == 1 ? PRODUCT : SUM));
}

@inline
function lastStride(p: LinearBinaryArgs, which: i32): i32 {
  return strideOf(p.shape, p.rank, which, p.rank - 1);
}

/** Sums and products commute: the operand that is neither repeated nor float32 comes first. */
@inline
function turned(p: LinearBinaryArgs): bool {
  return lastStride(p, 0) == 0 || p.aKind > Q16;
}

/** BYTES, REPEATED or FLOATS where one operand and the output are runs of bytes, or −1. */
function secondOperand(p: LinearBinaryArgs): i32 {
  const a = lastStride(p, 0), b = lastStride(p, 1);
  if (p.outKind != Q8 || <u32>a > 1 || <u32>b > 1 || a + b == 0) return -1;
  if (p.aKind == Q8 && p.bKind == Q8) return a == b ? BYTES : REPEATED;
  return a == b && p.aKind + p.bKind > Q16 && (p.aKind == Q8 || p.bKind == Q8) ? FLOATS : -1;
}

/** Runs of outputs along the last axis. */
function rows(p: LinearBinaryArgs, begin: i32, end: i32, way: i32): void {
  if (p.rank == 1) {
    row(p, begin * strideOf(p.shape, 1, 0, 0), begin * strideOf(p.shape, 1, 1, 0), begin, end - begin, way);
    return;
  }
  const columns = load<i32>(p.shape + (<usize>(p.rank - 1) << 2));
  const perUnit = rowsPerUnit(p.shape, p.rank);
  startWalk(p.shape, p.rank, 2, begin);
  for (let r = begin * perUnit; r < end * perUnit; r++) {
    row(p, position(0), position(1), r * columns, columns, way);
    nextRow(p.shape, p.rank, 2);
  }
}

/** One run of outputs: `a`, `b`, `output` are element positions. */
function row(p: LinearBinaryArgs, a: i32, b: i32, output: i32, count: i32, way: i32): void {
  const last = p.rank - 1;
  const aStride = strideOf(p.shape, p.rank, 0, last);
  const bStride = strideOf(p.shape, p.rank, 1, last);
  let done = 0;
  if (way == SUM) done = vectors(p, a, b, output, count, false, BYTES);
  else if (way == PRODUCT) done = vectors(p, a, b, output, count, true, BYTES);
  else if (way == SUM + 2 * REPEATED) done = vectors(p, a, b, output, count, false, REPEATED);
  else if (way == PRODUCT + 2 * REPEATED) done = vectors(p, a, b, output, count, true, REPEATED);
  else if (way == SUM + 2 * FLOATS) done = vectors(p, a, b, output, count, false, FLOATS);
  else if (way == PRODUCT + 2 * FLOATS) done = vectors(p, a, b, output, count, true, FLOATS);
  if (done < count) chunks(p, a + done * aStride, b + done * bStride, aStride, bStride, output + done, count - done);
}

/** Whole vectors of 8-bit codes; a vector with a lane near a tie goes the careful way. Returns the elements done. */
@inline
function vectors(p: LinearBinaryArgs, a: i32, b: i32, output: i32, count: i32, product: bool, second: i32): i32 {
  const aStride = lastStride(p, 0), bStride = lastStride(p, 1);
  const size = second == FLOATS ? 4 : 1; // bytes of an element of the second operand
  const swap = turned(p);
  const x = swap ? p.b + b : p.a + a;
  const other = swap ? p.a + a * size : p.b + b * size;
  const y = second == REPEATED ? repeated(loadQ8(other), product) : f32x4.splat(0);
  let i = 0;
  for (; i <= count - VECTOR; i += VECTOR) {
    if (!byteLanes(x + i, other + i * size, y, p.output + output + i, product, second)) {
      chunks(p, a + i * aStride, b + i * bStride, aStride, bStride, output + i, VECTOR);
    }
  }
  return i;
}

/** Operands of any kind and stride, through scratch. */
function chunks(p: LinearBinaryArgs, a: i32, b: i32, aStride: i32, bStride: i32, output: i32, count: i32): void {
  const single = changetype<LinearReals>(p.reals).epsSingle < 1;
  for (let i = 0; i < count; i += CHUNK) {
    const n = min(count - i, CHUNK);
    loadChunk(p.aKind, p.a + (a + i * aStride) * elementSize(p.aKind), aStride, n, p.aZero, LEFT);
    loadChunk(p.bKind, p.b + (b + i * bStride) * elementSize(p.bKind), bStride, n, p.bZero, RIGHT);
    if (single) chunkSingle(p, n);
    else chunkDouble(p, n);
    storeChunk(p.outKind, CODES, n, p.output + (output + i) * elementSize(p.outKind));
  }
}

/** float32: operands are exact, each product and the sum round once. |t| < 2^16 here, so floor and nearest are exact. */
function chunkSingle(p: LinearBinaryArgs, count: i32): void {
  const reals = changetype<LinearReals>(p.reals);
  const ca = f32x4.splat(<f32>reals.firstRatio);
  const cb = f32x4.splat(<f32>reals.secondRatio);
  const eps = f32x4.splat(<f32>reals.epsSingle);
  const half = f32x4.splat(0.5);
  const zero = i32x4.splat(p.outZero);
  const low = i32x4.splat(p.min);
  const high = i32x4.splat(p.max);
  const product = p.op == 1;
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const x = v128.load(LEFT + at);
    const y = v128.load(RIGHT + at);
    const v = product ? f32x4.mul(f32x4.mul(x, y), ca) : f32x4.add(f32x4.mul(x, ca), f32x4.mul(y, cb));
    const tie = f32x4.abs(f32x4.sub(f32x4.sub(v, f32x4.floor(v)), half));
    if (v128.any_true(f32x4.lt(tie, eps))) {
      for (let lane = i; lane < min(i + 4, count); lane++) exact(p, lane);
    } else {
      const code = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(v)), zero);
      v128.store(CODES + at, i32x4.max_s(i32x4.min_s(code, high), low));
    }
  }
}

/** Double, two lanes at a time, clamped before rounding (RNE keeps integers, so the order does not matter). */
function chunkDouble(p: LinearBinaryArgs, count: i32): void {
  const reals = changetype<LinearReals>(p.reals);
  const eps = f64x2.splat(reals.eps);
  const half = f64x2.splat(0.5);
  const scale = f64x2.splat(reals.scale);
  const first = f64x2.splat(reals.first);
  const second = f64x2.splat(reals.second);
  const low = f64x2.splat(<f64>(p.min - p.outZero));
  const high = f64x2.splat(<f64>(p.max - p.outZero));
  const zero = i32x4.splat(p.outZero);
  const product = p.op == 1;
  for (let i = 0; i < count; i += 2) {
    const at = <usize>i << 2;
    const x = f64x2.promote_low_f32x4(v128.load64_zero(LEFT + at));
    const y = f64x2.promote_low_f32x4(v128.load64_zero(RIGHT + at));
    const sum = product ? f64x2.mul(first, f64x2.mul(x, y)) : f64x2.add(f64x2.mul(first, x), f64x2.mul(second, y));
    const v = f64x2.max(low, f64x2.min(high, f64x2.div(sum, scale)));
    const tie = f64x2.abs(f64x2.sub(f64x2.sub(v, f64x2.floor(v)), half));
    if (v128.any_true(f64x2.lt(tie, eps))) {
      for (let lane = i; lane < min(i + 2, count); lane++) exact(p, lane);
    } else {
      const code = i32x4.add(i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(v)), zero);
      store<i64>(CODES + at, i64x2.extract_lane(code, 0));
    }
  }
}

/** One lane in double, exactly when near a tie. na·nb: 17 + 17 bits, or 17 + 24 with a float operand: exact. */
function exact(p: LinearBinaryArgs, lane: i32): void {
  const reals = changetype<LinearReals>(p.reals);
  const at = <usize>lane << 2;
  const x = <f64>load<f32>(LEFT + at);
  const y = <f64>load<f32>(RIGHT + at);
  let rounded: f64;
  if (p.op == 1) {
    setProduct(0, reals.first, x * y);
    rounded = roundExact((reals.first * (x * y)) / reals.scale, reals.eps, 1, reals.scale);
  } else {
    setProduct(0, reals.first, x);
    setProduct(1, reals.second, y);
    rounded = roundExact((reals.first * x + reals.second * y) / reals.scale, reals.eps, 2, reals.scale);
  }
  const bounded = max<f64>(<f64>(p.min - p.outZero), min<f64>(<f64>(p.max - p.outZero), rounded));
  store<i32>(CODES + at, <i32>bounded + p.outZero);
}
