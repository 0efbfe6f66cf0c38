// Add, Sub and Mul of the fixed targets: TFLite's integer forms (conformance.md §2). One rounding rule per call, `rounding`.
import { requantizeDouble, requantizeSingle } from "../../numerics/fixedPoint";
import { CHUNK, CODES, LEFT, RIGHT, elementSize, loadChunk, loadCode, storeChunk, storeCode } from "./codes";
import { rescaleLanes } from "./rescaleLanes";
import { BinaryCodes, nextRow, position, rowsPerUnit, startWalk, strideOf } from "./walk";

@unmanaged
class AddFixedArgs {
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
  subtract: i32;
  left: i32; // 20 or 15
  aMultiplier: i32;
  aShift: i32; // r of numerics.md §3
  bMultiplier: i32;
  bShift: i32;
  outMultiplier: i32;
  outShift: i32;
  rounding: i32; // 0 single, 1 double
}

@unmanaged
class MulFixedArgs {
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
  multiplier: i32;
  shift: i32;
  rounding: i32;
}

/** M(acc, multiplier, r); r = 31 − TFLite's exponent. */
@inline
export function rescaleFixed(acc: i64, multiplier: i32, r: i32, rounding: i32): i32 {
  return rounding ? requantizeDouble(acc, multiplier, r) : requantizeSingle(acc, multiplier, r);
}

/** |a|, |b| < 2^17: with left ≤ 20 (8-bit: < 2^9) both operands stay below 2^32 in i64, the sum of two int32 below 2^32. */
@inline
function sumOf(p: AddFixedArgs, a: i32, b: i32): i32 {
  const x = <i64>rescaleFixed(<i64>a << p.left, p.aMultiplier, p.aShift, p.rounding);
  const y = <i64>rescaleFixed(<i64>b << p.left, p.bMultiplier, p.bShift, p.rounding);
  return rescaleFixed(p.subtract ? x - y : x + y, p.outMultiplier, p.outShift, p.rounding);
}

@inline
function productOf(p: MulFixedArgs, a: i32, b: i32): i32 {
  return rescaleFixed(<i64>a * <i64>b, p.multiplier, p.shift, p.rounding);
}

/** Clamped in 64 bits: the rescaled value may be an int32 extreme. */
@inline
function finish(p: BinaryCodes, rescaled: i32, output: i32): void {
  const code = max<i64>(<i64>p.min, min<i64>(<i64>p.max, <i64>rescaled + <i64>p.outZero));
  storeCode(p.outKind, p.output + output * elementSize(p.outKind), <i32>code);
}

@inline
function left(p: BinaryCodes, index: i32): i32 {
  return loadCode(p.aKind, p.a + index * elementSize(p.aKind)) - p.aZero;
}

@inline
function right(p: BinaryCodes, index: i32): i32 {
  return loadCode(p.bKind, p.b + index * elementSize(p.bKind)) - p.bZero;
}

@inline
function combine<A>(args: usize, a: i32, b: i32): i32 {
  if (offsetof<A>() == offsetof<AddFixedArgs>()) return sumOf(changetype<AddFixedArgs>(args), a, b);
  return productOf(changetype<MulFixedArgs>(args), a, b);
}

/** Lanes of int32 never saturate when every shift is at least 31 (factors below 1); operands of an addition below ½, r ≥ 32:
 *  |n·2^left| < 2^31, so each addend stays below 2^30 and their sum below 2^31; |na·nb| ≤ 2^31 − 1 for 8-bit operands. */
@inline
function fitsLanes<A>(args: usize): bool {
  if (offsetof<A>() == offsetof<AddFixedArgs>()) {
    const p = changetype<AddFixedArgs>(args);
    return p.aShift >= 32 && p.bShift >= 32 && p.outShift >= 31;
  }
  const p = changetype<MulFixedArgs>(args);
  return p.shift >= 31 && p.aKind == 0 && p.bKind == 0;
}

@inline
function combineLanes<A>(args: usize, x: v128, y: v128): v128 {
  if (offsetof<A>() == offsetof<AddFixedArgs>()) {
    const p = changetype<AddFixedArgs>(args);
    const a = rescaleLanes(i32x4.shl(x, p.left), p.aMultiplier, p.aShift, p.rounding);
    const b = rescaleLanes(i32x4.shl(y, p.left), p.bMultiplier, p.bShift, p.rounding);
    return rescaleLanes(p.subtract ? i32x4.sub(a, b) : i32x4.add(a, b), p.outMultiplier, p.outShift, p.rounding);
  }
  const p = changetype<MulFixedArgs>(args);
  return rescaleLanes(i32x4.mul(x, y), p.multiplier, p.shift, p.rounding);
}

function rowOfLanes<A>(args: usize, a: i32, b: i32, output: i32, count: i32): void {
  const p = changetype<BinaryCodes>(args);
  const aStride = strideOf(p.shape, p.rank, 0, p.rank - 1);
  const bStride = strideOf(p.shape, p.rank, 1, p.rank - 1);
  // clamped before the zero point is added: the sum of two int32 may not overflow
  const low = i32x4.splat(p.min - p.outZero);
  const high = i32x4.splat(p.max - p.outZero);
  const zero = i32x4.splat(p.outZero);
  for (let i = 0; i < count; i += CHUNK) {
    const n = min(count - i, CHUNK);
    loadChunk(p.aKind, p.a + (a + i * aStride) * elementSize(p.aKind), aStride, n, p.aZero, LEFT);
    loadChunk(p.bKind, p.b + (b + i * bStride) * elementSize(p.bKind), bStride, n, p.bZero, RIGHT);
    for (let lane = 0; lane < n; lane += 4) {
      const at = <usize>lane << 2;
      const rescaled = combineLanes<A>(args, i32x4.trunc_sat_f32x4_s(v128.load(LEFT + at)), i32x4.trunc_sat_f32x4_s(v128.load(RIGHT + at)));
      v128.store(CODES + at, i32x4.add(i32x4.max_s(low, i32x4.min_s(high, rescaled)), zero));
    }
    storeChunk(p.outKind, CODES, n, p.output + (output + i) * elementSize(p.outKind));
  }
}

function row<A>(args: usize, a: i32, b: i32, output: i32, count: i32): void {
  const p = changetype<BinaryCodes>(args);
  if (count >= 4 && fitsLanes<A>(args)) {
    rowOfLanes<A>(args, a, b, output, count);
    return;
  }
  const aStride = strideOf(p.shape, p.rank, 0, p.rank - 1);
  const bStride = strideOf(p.shape, p.rank, 1, p.rank - 1);
  for (let i = 0; i < count; i++) {
    finish(p, combine<A>(args, left(p, a + i * aStride), right(p, b + i * bStride)), output + i);
  }
}

function walk<A>(args: usize, begin: i32, end: i32): void {
  const p = changetype<BinaryCodes>(args);
  if (p.rank == 1) {
    row<A>(args, begin * strideOf(p.shape, 1, 0, 0), begin * strideOf(p.shape, 1, 1, 0), begin, end - begin);
    return;
  }
  const columns = load<i32>(p.shape + (<usize>(p.rank - 1) << 2));
  const rows = rowsPerUnit(p.shape, p.rank);
  startWalk(p.shape, p.rank, 2, begin);
  for (let r = begin * rows; r < end * rows; r++) {
    row<A>(args, position(0), position(1), r * columns, columns);
    nextRow(p.shape, p.rank, 2);
  }
}

export function add_fixed(args: usize, begin: i32, end: i32): void {
  walk<AddFixedArgs>(args, begin, end);
}

export function mul_fixed(args: usize, begin: i32, end: i32): void {
  walk<MulFixedArgs>(args, begin, end);
}
