// Add, Sub and Mul of target ort (numerics.md §4a), in float32 as ONNX Runtime has them.
// op 0: RNE(fma(p, first, fma(q, second, fixed))), p and q codes, the output's zero point inside `fixed`;
// op 1: RNE(f32(f32(na·nb·first) + zy)); op 2, 3, 4: RNE(f32(f32(f32(na·sa) + − × f32(nb·sb))/sy)) + zy. n = stored − zero. 8-bit codes in op 0 and 1.
import { fma32 } from "../../numerics/single";
import { CHUNK, CODES, LEFT, RIGHT, elementSize, loadChunk, storeChunk } from "../linear/codes";
import { VECTOR, binaryLanes } from "../linear/binaryLanes";
import { bitsBelow } from "../linear/roundLanes";
import { nextRow, position, rowsPerUnit, startWalk, strideOf } from "../linear/walk";
import { roundedLanes } from "./quantize_single";

@unmanaged
class BinarySingleArgs {
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
  op: i32;
  outOrigin: i32; // stored value of code 0
  reals: usize;
}

/** Constants (src/forms/single.ts): float32 values but for eps. */
@unmanaged
class SingleReals {
  first: f64;
  second: f64;
  fixed: f64; // op 0
  aCode: f64; // code of the zero point of a, b
  bCode: f64;
  scale: f64; // sy of op 2, 3, 4
  eps: f64; // op 0, 1: how far na·first + nb·second (or the product) may be from what is rounded, zero point apart; ≥ ½: no such bound
}

export function binary_single(args: usize, begin: i32, end: i32): void {
  const p = changetype<BinarySingleArgs>(args);
  if (p.rank == 1) {
    row(p, begin * strideOf(p.shape, 1, 0, 0), begin * strideOf(p.shape, 1, 1, 0), begin, end - begin);
    return;
  }
  const columns = load<i32>(p.shape + (<usize>(p.rank - 1) << 2));
  const rows = rowsPerUnit(p.shape, p.rank);
  startWalk(p.shape, p.rank, 2, begin);
  for (let r = begin * rows; r < end * rows; r++) {
    row(p, position(0), position(1), r * columns, columns);
    nextRow(p.shape, p.rank, 2);
  }
}

/** One run of outputs; whole vectors of bytes first. */
function row(p: BinarySingleArgs, a: i32, b: i32, output: i32, count: i32): void {
  const last = p.rank - 1;
  const aStride = strideOf(p.shape, p.rank, 0, last);
  const bStride = strideOf(p.shape, p.rank, 1, last);
  let done = 0;
  if (p.op < 2 && <u32>aStride < 2 && <u32>bStride < 2 && changetype<SingleReals>(p.reals).eps < 0.5) {
    done = p.op ? vectors(p, a, b, aStride, bStride, output, count, true) : vectors(p, a, b, aStride, bStride, output, count, false);
  }
  chunks(p, a + done * aStride, b + done * bStride, aStride, bStride, output + done, count - done);
}

/** Vectors whose lanes all lie farther than eps from a tie round as the exact order does; the others go lane by lane. Returns the elements done. */
@inline
function vectors(p: BinarySingleArgs, a: i32, b: i32, aStride: i32, bStride: i32, output: i32, count: i32, product: bool): i32 {
  const reals = changetype<SingleReals>(p.reals);
  const ca = f32x4.splat(<f32>reals.first), cb = f32x4.splat(<f32>reals.second);
  const limit = f32x4.splat(<f32>(0.5 - reals.eps));
  const aZero = i16x8.splat(<i16>p.aZero), bZero = i16x8.splat(<i16>p.bZero);
  const below = bitsBelow(p.outZero), least = i8x16.splat(<i8>p.min), most = i8x16.splat(<i8>p.max);
  let i = 0;
  for (; i <= count - VECTOR; i += VECTOR) {
    const x = a + i * aStride, y = b + i * bStride;
    const to = p.output + output + i;
    if (!binaryLanes(p.a + x, aStride, aZero, p.b + y, bStride, bZero, to, ca, cb, limit, below, least, most, product)) {
      chunks(p, x, y, aStride, bStride, output + i, VECTOR);
    }
  }
  return i;
}

/** Operands of any kind and stride, through scratch. */
function chunks(p: BinarySingleArgs, a: i32, b: i32, aStride: i32, bStride: i32, output: i32, count: i32): void {
  for (let i = 0; i < count; i += CHUNK) {
    const n = min(count - i, CHUNK);
    loadChunk(p.aKind, p.a + (a + i * aStride) * elementSize(p.aKind), aStride, n, p.aZero, LEFT);
    loadChunk(p.bKind, p.b + (b + i * bStride) * elementSize(p.bKind), bStride, n, p.bZero, RIGHT);
    if (p.op == 0) sums(p, n);
    else if (p.op == 1) products(p, n);
    else reals(p, n);
    storeChunk(p.outKind, CODES, n, p.output + (output + i) * elementSize(p.outKind));
  }
}

/** op 0, lane by lane: the codes are na + za and nb + zb, exact; clamped before they become integers. */
function sums(p: BinarySingleArgs, count: i32): void {
  const reals = changetype<SingleReals>(p.reals);
  const first = <f32>reals.first, second = <f32>reals.second, fixed = <f32>reals.fixed;
  const aCode = <f32>reals.aCode, bCode = <f32>reals.bCode;
  const low = <f32>(p.min - p.outOrigin), high = <f32>(p.max - p.outOrigin);
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    const t = fma32(load<f32>(LEFT + at) + aCode, first, fma32(load<f32>(RIGHT + at) + bCode, second, fixed));
    store<i32>(CODES + at, <i32>max<f32>(low, min<f32>(high, nearest(t))) + p.outOrigin);
  }
}

/** op 1: na·nb is below 2^17, exact in float32. */
function products(p: BinarySingleArgs, count: i32): void {
  const factor = f32x4.splat(<f32>changetype<SingleReals>(p.reals).first);
  const zero = f32x4.splat(<f32>(p.outZero - p.outOrigin));
  const low = f32x4.splat(<f32>(p.min - p.outOrigin)), high = f32x4.splat(<f32>(p.max - p.outOrigin));
  const origin = i32x4.splat(p.outOrigin);
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const t = f32x4.mul(f32x4.mul(v128.load(LEFT + at), v128.load(RIGHT + at)), factor);
    v128.store(CODES + at, roundedLanes(f32x4.add(t, zero), low, high, origin));
  }
}

/** op 2, 3, 4: dequantized operands; a float operand has scale 1. */
function reals(p: BinarySingleArgs, count: i32): void {
  const r = changetype<SingleReals>(p.reals);
  const first = f32x4.splat(<f32>r.first), second = f32x4.splat(<f32>r.second), scale = f32x4.splat(<f32>r.scale);
  const low = f32x4.splat(<f32>(p.min - p.outZero)), high = f32x4.splat(<f32>(p.max - p.outZero));
  const zero = i32x4.splat(p.outZero);
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const x = f32x4.mul(v128.load(LEFT + at), first), y = f32x4.mul(v128.load(RIGHT + at), second);
    const value = p.op == 2 ? f32x4.add(x, y) : p.op == 3 ? f32x4.sub(x, y) : f32x4.mul(x, y);
    v128.store(CODES + at, roundedLanes(f32x4.div(value, scale), low, high, zero));
  }
}
