// Epilogues: int32 accumulators of up to 8 channels → outputs. Layout of the region: src/kernels/epilogue.ts (HEADER, PANEL).
//   Rows of int32[8] at `acc`; each mode reads its constants from the panel block, 8 channels at a time.
import { PARTIAL } from "../simd/scratch";
import { storeQ8x8 } from "../simd/q8";
import { codeOf, scalarRow, storeCode } from "./requantizeScalar";
import { single } from "./requantizeSingle";
import {
  ADD, HEADER_BYTES, HI, LO, M, MAGIC64, MAX, MIN, MODE, MODE_DOUBLE, MODE_FIXED64, MODE_NEAR_TIE, MODE_PROVEN_SINGLE, MODE_RAW,
  MODE_REAL, MODE_SINGLE, MUL,
  NEAR, OFF, OUT_BYTES, PANEL_BYTES, SHIFT, SLOPE, SLOPE_SET, WIDE, ZERO,
} from "./epilogue";

export function panelBlockAt(header: usize, panel: i32): usize {
  return header + HEADER_BYTES + <usize>(panel * load<i32>(header, PANEL_BYTES));
}

/** Bytes of one output element. */
export function outputBytes(header: usize, block: usize): i32 {
  const mode = load<i32>(block, MODE);
  return mode == MODE_RAW ? 4 : mode == MODE_REAL ? 8 : load<i32>(header, OUT_BYTES);
}

/** Stores `rows` rows of `columns` ≤ 8 outputs; a partial panel goes through the scratch page (rows ≤ 6), so nothing beyond its columns is written. */
export function finish(acc: usize, rows: i32, header: usize, block: usize, columns: i32, c: usize, ldc: i32): void {
  if (columns == 8) {
    finishPanel(acc, rows, header, block, c, ldc);
    return;
  }
  finishPanel(acc, rows, header, block, PARTIAL, 64);
  const bytes = columns * outputBytes(header, block);
  for (let i = 0; i < rows; ++i) {
    const from = PARTIAL + (<usize>i << 6);
    copyColumns(from, c, bytes);
    c += ldc;
  }
}

export function copyColumns(from: usize, to: usize, bytes: i32): void {
  for (let j = 0; j < bytes; ++j) store<u8>(to + j, load<u8>(from + j));
}

function finishPanel(acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  const mode = load<i32>(block, MODE);
  if (mode == MODE_PROVEN_SINGLE) provenSingle(acc, rows, header, block, c, ldc);
  else if (mode == MODE_SINGLE) exactSingle(acc, rows, header, block, c, ldc);
  else if (mode == MODE_FIXED64) fixed64(acc, rows, header, block, c, ldc);
  else if (mode == MODE_RAW) raw(acc, rows, c, ldc);
  else if (mode == MODE_REAL) real(acc, rows, block, c, ldc);
  else if (mode == MODE_NEAR_TIE && !load<i32>(header, WIDE)) doubleNearTie(acc, rows, header, block, c, ldc);
  else if (mode == MODE_DOUBLE && !(load<i32>(block, SLOPE) | load<i32>(header, WIDE))) doubleProven(acc, rows, header, block, c, ldc);
  else {
    for (let i = 0; i < rows; ++i) {
      scalarRow(mode, acc, header, block, c);
      acc += 32;
      c += ldc;
    }
  }
}

/** Low words of the four 64-bit lanes of a, b. */
@inline function lowWords(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 2, 4, 6);
}

/** Stores 8 int32 that lie in the stored range. */
@inline function storeCodes(c: usize, outBytes: i32, low: v128, high: v128): void {
  if (outBytes == 1) storeQ8x8(c, i16x8.narrow_i32x4_s(low, high));
  else v128.store(c, i16x8.narrow_i32x4_u(low, high));
}

/** min + ((clamp(acc, lo, hi)·m + off) >>> R): |acc·m| < 2^62, off chosen by the prover so that the sum lies in [0, 2^63) and the
 *  shifted value in [0, max − min]. */
function fixed64(acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  const lo0 = v128.load(block, LO), lo1 = v128.load(block, LO + 16), hi0 = v128.load(block, HI), hi1 = v128.load(block, HI + 16);
  const m0 = v128.load(block, M), m1 = v128.load(block, M + 16);
  const base = v128.load32_splat(header, MIN);
  const shift = load<i32>(block, SHIFT), outBytes = load<i32>(header, OUT_BYTES);
  for (let i = 0; i < rows; ++i) {
    const x = i32x4.min_s(i32x4.max_s(v128.load(acc), lo0), hi0);
    const y = i32x4.min_s(i32x4.max_s(v128.load(acc, 16), lo1), hi1);
    const p0 = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(x, m0), v128.load(block, OFF)), shift);
    const p1 = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(x, m0), v128.load(block, OFF + 16)), shift);
    const p2 = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(y, m1), v128.load(block, OFF + 32)), shift);
    const p3 = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(y, m1), v128.load(block, OFF + 48)), shift);
    storeCodes(c, outBytes, i32x4.add(lowWords(p0, p1), base), i32x4.add(lowWords(p2, p3), base));
    acc += 32;
    c += ldc;
  }
}

/** acc·mul + add for two accumulators, slope sides included |v| < 2^27 unless the header says wide. at: their constants in the block. slope:
 *  where that is negative, the slope side's constants instead, as codeOfReal has it. */
@inline function scaled(slope: bool, acc: usize, at: usize): v128 {
  const x = f64x2.convert_low_i32x4_s(v128.load64_zero(acc));
  const v = f64x2.add(f64x2.mul(x, v128.load(at, MUL)), v128.load(at, ADD));
  if (!slope) return v;
  const below = f64x2.add(f64x2.mul(x, v128.load(at, MUL + SLOPE_SET)), v128.load(at, ADD + SLOPE_SET));
  return v128.bitselect(below, v, f64x2.lt(v, f64x2.splat(0)));
}

/** (v − RNE(v))² per lane, v − RNE(v) being exact; rounded = v + MAGIC. */
@inline function tieDistance(v: v128, rounded: v128, magic: v128): v128 {
  const d = f64x2.sub(v, f64x2.sub(rounded, magic));
  return f64x2.mul(d, d);
}

/** RNE(acc·mul + add) + zero, clamped as integers: v + 1.5·2^52 holds RNE(v) in its low 32 bits for |v| < 2^31 (those of 1.5·2^52 itself are 0). near (literal): a row with a lane whose distance to the nearest integer is ≥ ½ − margin is stored and
 *  then decided again, exactly, by scalarRow. */
@inline function double(near: bool, acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  const magic = v128.load64_splat(header, MAGIC64), zero = v128.load32_splat(header, ZERO);
  const low = v128.load16_splat(header, MIN), high = v128.load16_splat(header, MAX);
  const distance = load<f64>(header, NEAR);
  const limit = f64x2.splat(distance * distance * 0.9999999999999991); // rounding of the squares only adds flagged lanes
  const outBytes = load<i32>(header, OUT_BYTES), slope = near && load<i32>(block, SLOPE) != 0;
  for (let i = 0; i < rows; ++i) {
    const v0 = scaled(slope, acc, block);
    const v1 = scaled(slope, acc + 8, block + 16);
    const r0 = f64x2.add(v0, magic), r1 = f64x2.add(v1, magic);
    let far = v0;
    if (near) far = f64x2.pmax(tieDistance(v0, r0, magic), tieDistance(v1, r1, magic));
    const v2 = scaled(slope, acc + 16, block + 32);
    const v3 = scaled(slope, acc + 24, block + 48);
    const r2 = f64x2.add(v2, magic), r3 = f64x2.add(v3, magic);
    if (near) far = f64x2.pmax(far, f64x2.pmax(tieDistance(v2, r2, magic), tieDistance(v3, r3, magic)));
    const codes0 = i32x4.add(lowWords(r0, r1), zero), codes1 = i32x4.add(lowWords(r2, r3), zero);
    if (outBytes == 1) storeQ8x8(c, i16x8.min_s(i16x8.max_s(i16x8.narrow_i32x4_s(codes0, codes1), low), high));
    else v128.store(c, i16x8.min_u(i16x8.max_u(i16x8.narrow_i32x4_u(codes0, codes1), low), high));
    if (near && v128.any_true(f64x2.ge(far, limit))) scalarRow(MODE_NEAR_TIE, acc, header, block, c);
    acc += 32;
    c += ldc;
  }
}
function doubleProven(acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  double(false, acc, rows, header, block, c, ldc);
}
function doubleNearTie(acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  double(true, acc, rows, header, block, c, ldc);
}

/** Float32 with a margin: rows of a tile that has a lane near a tie are decided again in double. One byte outputs, no slope, |v| < 2^22. */
function exactSingle(acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  if (single(true, acc, rows, header, block, c, ldc)) doubleNearTie(acc, rows, header, block, c, ldc);
}
function provenSingle(acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): void {
  single(false, acc, rows, header, block, c, ldc);
}

function raw(acc: usize, rows: i32, c: usize, ldc: i32): void {
  for (let i = 0; i < rows; ++i) {
    v128.store(c, v128.load(acc));
    v128.store(c, v128.load(acc, 16), 16);
    acc += 32;
    c += ldc;
  }
}

/** acc·mul + add in double: one product, one sum, each rounded. */
function real(acc: usize, rows: i32, block: usize, c: usize, ldc: i32): void {
  for (let i = 0; i < rows; ++i) {
    for (let lane = 0; lane < 8; ++lane) {
      const at = block + (<usize>lane << 3);
      store<f64>(c + (<usize>lane << 3), <f64>load<i32>(acc + (<usize>lane << 2)) * load<f64>(at, MUL) + load<f64>(at, ADD));
    }
    acc += 32;
    c += ldc;
  }
}

/** The same for sums x: f64[8]. */
export function realsToReals(x: usize, block: usize, c: usize): void {
  for (let i: usize = 0; i < 64; i += 16)
    v128.store(c + i, f64x2.add(f64x2.mul(v128.load(x + i), v128.load(block + i, MUL)), v128.load(block + i, ADD)));
}

/** Codes of exact integer sums x: f64[8], |x| < 2^53; every mode that codeOf knows. */
export function realsToCodes(mode: i32, x: usize, header: usize, block: usize, c: usize): void {
  const outBytes = load<i32>(header, OUT_BYTES);
  for (let lane = 0; lane < 8; ++lane) storeCode(c, lane, outBytes, codeOf(mode, load<f64>(x + (<usize>lane << 3)), header, block, lane));
}
