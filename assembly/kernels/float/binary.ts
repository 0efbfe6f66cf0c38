// Two-operand scalar functions and selection on float32 or float64 over a broadcast shape.
import { pow } from "../../numerics/elementary";
import { nextRow, position, rowsPerUnit, startWalk, strideOf } from "../linear/walk";
import { BinaryArgs, WhereArgs } from "./args";
import { powerLanes, preparePowers } from "./powerLanes";

// Opcodes (src/kernels/elementwise.ts BINARY).
const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const DIV: i32 = 3;
const MIN: i32 = 4;
const MAX: i32 = 5;
const POW: i32 = 6;
const PRELU: i32 = 7;
const MOD: i32 = 8;
const FMOD: i32 = 9;
const EQUAL: i32 = 10;
const LESS: i32 = 11;
const LESS_OR_EQUAL: i32 = 12;
const GREATER: i32 = 13;
const GREATER_OR_EQUAL: i32 = 14;
const AND: i32 = 15;
const OR: i32 = 16;
const XOR: i32 = 17;
const WHOLE_DIV: i32 = 18;
const WHOLE_MOD: i32 = 19;
const WHOLE_FMOD: i32 = 20;
const WHOLE_POW: i32 = 21;
const BIT_AND: i32 = 22;
const BIT_OR: i32 = 23;
const BIT_XOR: i32 = 24;
const SHIFT_LEFT: i32 = 25;

/** Remainder with the divisor's sign: exact remainder, one rounded addition where the signs differ. */
@inline
function flooredModulo<T>(a: T, b: T): T {
  const r = a % b;
  return r != <T>0 && r < <T>0 != b < <T>0 ? r + b : r;
}

/** Two's complement of an integer in [−2^63, 2^64). */
@inline
function bitsOf(x: f64): i64 {
  return x < 0 ? <i64>x : <i64><u64>x;
}

/** Bitwise operators and shifts on 64 bits; with operands that are not negative the result is read as unsigned. Shifts by 64 and more give 0. */
function bits(op: i32, a: f64, b: f64): f64 {
  const x = bitsOf(a);
  const y = bitsOf(b);
  let result: i64 = 0;
  if (op == BIT_AND) result = x & y;
  else if (op == BIT_OR) result = x | y;
  else if (op == BIT_XOR) result = x ^ y;
  else if (b < 64) result = op == SHIFT_LEFT ? x << y : <i64>(<u64>x >> <u64>y);
  return a < 0 || b < 0 ? <f64>result : <f64><u64>result;
}

/** Of integers: division toward zero, remainders, powers; 0 where the divisor is 0. */
function whole<T>(op: i32, a: T, b: T): T {
  if (op >= BIT_AND) return <T>bits(op, <f64>a, <f64>b);
  if (op == WHOLE_POW) return trunc<T>(<T>pow(<f64>a, <f64>b));
  if (b == <T>0) return <T>0;
  if (op == WHOLE_DIV) return trunc<T>(a / b);
  return op == WHOLE_MOD ? flooredModulo<T>(a, b) : a % b;
}

function scalar<T>(op: i32, a: T, b: T): T {
  switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case MIN: return min<T>(a, b);
    case MAX: return max<T>(a, b);
    case POW: return <T>pow(<f64>a, <f64>b);
    case PRELU: return a < <T>0 ? b * a : a;
    case MOD: return flooredModulo<T>(a, b);
    case FMOD: return a % b;
    case EQUAL: return <T>(a == b);
    case LESS: return <T>(a < b);
    case LESS_OR_EQUAL: return <T>(a <= b);
    case GREATER: return <T>(a > b);
    case GREATER_OR_EQUAL: return <T>(a >= b);
    case AND: return <T>(a != <T>0 && b != <T>0);
    case OR: return <T>(a != <T>0 || b != <T>0);
    case XOR: return <T>((a != <T>0) != (b != <T>0));
    default: return whole<T>(op, a, b);
  }
}

/** Whole vectors of a row; an operand's stride is 0 or 1. Returns the elements done. `op` is a literal: the loops hold nothing but their work. */
@inline
function vectorsOf<T>(op: i32, a: usize, b: usize, aStride: i32, bStride: i32, output: usize, count: i32): i32 {
  const done = count & -(16 / <i32>sizeof<T>());
  const end = output + <usize>done * sizeof<T>();
  if (aStride && bStride) {
    for (; output < end; a += 16, b += 16, output += 16) v128.store(output, lanesOf<T>(op, v128.load(a), v128.load(b)));
  } else if (aStride) {
    const y = v128.splat<T>(load<T>(b));
    for (; output < end; a += 16, output += 16) v128.store(output, lanesOf<T>(op, v128.load(a), y));
  } else {
    const x = v128.splat<T>(load<T>(a));
    const step = 16 * bStride;
    for (; output < end; b += step, output += 16) v128.store(output, lanesOf<T>(op, x, bStride ? v128.load(b) : v128.splat<T>(load<T>(b))));
  }
  return done;
}

function vectors<T>(op: i32, a: usize, b: usize, aStride: i32, bStride: i32, output: usize, count: i32): i32 {
  switch (op) {
    case ADD: return vectorsOf<T>(ADD, a, b, aStride, bStride, output, count);
    case SUB: return vectorsOf<T>(SUB, a, b, aStride, bStride, output, count);
    case MUL: return vectorsOf<T>(MUL, a, b, aStride, bStride, output, count);
    case DIV: return vectorsOf<T>(DIV, a, b, aStride, bStride, output, count);
    default: return vectorsOf<T>(op, a, b, aStride, bStride, output, count);
  }
}

/** Powers of neighbours, all with the same exponent. */
function powers(a: usize, exponent: f32, output: usize, count: i32): i32 {
  let i = 0;
  preparePowers();
  for (; i <= count - 4; i += 4, a += 16, output += 16) v128.store(output, powerLanes(v128.load(a), exponent));
  return i;
}

function binaryRow<T>(op: i32, a: usize, b: usize, aStride: i32, bStride: i32, output: usize, count: i32): void {
  const aStep = aStride * sizeof<T>();
  const bStep = bStride * sizeof<T>();
  let i = 0;
  if (op <= MAX && <u32>aStride < 2 && <u32>bStride < 2) i = vectors<T>(op, a, b, aStride, bStride, output, count);
  else if (sizeof<T>() == 4 && op == POW && aStride == 1 && bStride == 0) {
    const exponent = load<f32>(b);
    if (exponent == 2 || exponent == 3) i = powers(a, exponent, output, count);
  }
  a += aStep * i;
  b += bStep * i;
  output += <usize>i * sizeof<T>();
  for (; i < count; i++, a += aStep, b += bStep, output += sizeof<T>()) store<T>(output, scalar<T>(op, load<T>(a), load<T>(b)));
}

@inline
function lanesOf<T>(op: i32, x: v128, y: v128): v128 {
  if (op == ADD) return v128.add<T>(x, y);
  if (op == SUB) return v128.sub<T>(x, y);
  if (op == MUL) return v128.mul<T>(x, y);
  if (op == DIV) return v128.div<T>(x, y);
  return op == MIN ? v128.min<T>(x, y) : v128.max<T>(x, y);
}

function binary<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<BinaryArgs>(args);
  const rank = p.rank;
  const aStride = strideOf(p.shape, rank, 0, rank - 1);
  const bStride = strideOf(p.shape, rank, 1, rank - 1);
  const size: i32 = sizeof<T>();
  if (rank == 1) {
    binaryRow<T>(p.op, p.a + begin * aStride * size, p.b + begin * bStride * size, aStride, bStride, p.output + begin * size, end - begin);
    return;
  }
  const columns = load<i32>(p.shape + (<usize>(rank - 1) << 2));
  const rows = rowsPerUnit(p.shape, rank);
  startWalk(p.shape, rank, 2, begin);
  for (let r = begin * rows; r < end * rows; r++) {
    binaryRow<T>(p.op, p.a + position(0) * size, p.b + position(1) * size, aStride, bStride, p.output + r * columns * size, columns);
    nextRow(p.shape, rank, 2);
  }
}

function whereRow<T>(p: WhereArgs, condition: i32, a: i32, b: i32, output: i32, count: i32): void {
  const last = p.rank - 1;
  const cStep = strideOf(p.shape, p.rank, 0, last);
  const aStep = strideOf(p.shape, p.rank, 1, last);
  const bStep = strideOf(p.shape, p.rank, 2, last);
  const size: i32 = sizeof<T>();
  for (let i = 0; i < count; i++) {
    const holds = load<T>(p.condition + (condition + i * cStep) * size) != <T>0;
    store<T>(p.output + (output + i) * size, load<T>(holds ? p.a + (a + i * aStep) * size : p.b + (b + i * bStep) * size));
  }
}

function where<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<WhereArgs>(args);
  const rank = p.rank;
  if (rank == 1) {
    whereRow<T>(p, begin * strideOf(p.shape, 1, 0, 0), begin * strideOf(p.shape, 1, 1, 0), begin * strideOf(p.shape, 1, 2, 0), begin, end - begin);
    return;
  }
  const columns = load<i32>(p.shape + (<usize>(rank - 1) << 2));
  const rows = rowsPerUnit(p.shape, rank);
  startWalk(p.shape, rank, 3, begin);
  for (let r = begin * rows; r < end * rows; r++) {
    whereRow<T>(p, position(0), position(1), position(2), r * columns, columns);
    nextRow(p.shape, rank, 3);
  }
}

export function binary_f32(args: usize, begin: i32, end: i32): void {
  binary<f32>(args, begin, end);
}

export function binary_f64(args: usize, begin: i32, end: i32): void {
  binary<f64>(args, begin, end);
}

export function where_f32(args: usize, begin: i32, end: i32): void {
  where<f32>(args, begin, end);
}

export function where_f64(args: usize, begin: i32, end: i32): void {
  where<f64>(args, begin, end);
}
