// Products of float32 rows with weights that stay codes: output[row][column] = Σ_k a[row][k] · w[k][column], w = scale · (code − zero), k ascending from 0.
// code − zero is an integer below 2^9, scale has 24 bits: the product in float32 rounds the exact weight once, as a weight widened beforehand is. Every
// product and sum is rounded, as everywhere in floating point. A unit is 8 columns: 32-bit words of 2-, 4- or 8-bit codes, consecutive k from the low
// bits on, one word per column, [words][8]; scales and zeros [blocks][8]. Codes become weights in registers, once for four rows.
import { BlockMatmulArgs } from "./args";

const COLUMNS: i32 = 8;
const WORDS_BYTES: usize = 32; // one word of each column
const SUMS: usize = SCRATCH + 128; // of the scratch page: 8 sums

@inline
function weight(word: v128, mask: v128, zero: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(v128.and(word, mask)), zero), scale);
}

@inline
function plus(sum: v128, x: v128, w: v128): v128 {
  return f32x4.add(sum, f32x4.mul(x, w));
}

/** Writes the first `columns` of 8 sums. */
@inline
function storeColumns(output: usize, low: v128, high: v128, columns: i32): void {
  if (columns >= COLUMNS) {
    v128.store(output, low);
    v128.store(output, high, 16);
    return;
  }
  v128.store(SUMS, low);
  v128.store(SUMS, high, 16);
  memory.copy(output, SUMS, <usize>columns << 2);
}

@inline
function oneRow(p: BlockMatmulArgs, unit: i32, a: usize, output: usize, bits: i32): void {
  let w = p.w + <usize>(unit * p.words) * WORDS_BYTES;
  let scales = p.scales + ((unit * p.blocks) << 5);
  let zeros = p.zeros + ((unit * p.blocks) << 3);
  const mask = i32x4.splat((1 << bits) - 1);
  let c0 = f32x4.splat(0);
  let c1 = c0;
  for (let left = p.k; left > 0; left -= p.block, scales += 32, zeros += 8) {
    const s0 = v128.load(scales), s1 = v128.load(scales, 16);
    const zero = v128.load_ext<u8>(zeros);
    const z0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(zero));
    const z1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(zero));
    for (let count = min(left, p.block); count > 0; count -= 32 / bits, w += WORDS_BYTES) {
      let w0 = v128.load(w), w1 = v128.load(w, 16);
      for (let k = min(count, 32 / bits); k > 0; k--, a += 4) {
        const x = v128.load32_splat(a);
        c0 = plus(c0, x, weight(w0, mask, z0, s0));
        c1 = plus(c1, x, weight(w1, mask, z1, s1));
        w0 = i32x4.shr_u(w0, bits);
        w1 = i32x4.shr_u(w1, bits);
      }
    }
  }
  storeColumns(output, c0, c1, p.n - unit * COLUMNS);
}

/** Rows at a, `lda` bytes apart; of fewer than four the last ones are the first again. */
@inline
function fourRows(p: BlockMatmulArgs, unit: i32, row: i32, bits: i32): void {
  const rows = p.rows - row;
  const step1 = rows > 1 ? 1 : 0, step2 = rows > 2 ? 2 : 0, step3 = rows > 3 ? 3 : 0;
  let a0 = p.a + <usize>row * p.lda;
  const a1 = <usize>step1 * p.lda, a2 = <usize>step2 * p.lda, a3 = <usize>step3 * p.lda;
  let w = p.w + <usize>(unit * p.words) * WORDS_BYTES;
  let scales = p.scales + ((unit * p.blocks) << 5);
  let zeros = p.zeros + ((unit * p.blocks) << 3);
  const mask = i32x4.splat((1 << bits) - 1);
  let c0 = f32x4.splat(0);
  let c1 = c0, d0 = c0, d1 = c0, e0 = c0, e1 = c0, f0 = c0, f1 = c0;
  for (let left = p.k; left > 0; left -= p.block, scales += 32, zeros += 8) {
    const zero = v128.load_ext<u8>(zeros);
    const z0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(zero));
    const z1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(zero));
    for (let count = min(left, p.block); count > 0; count -= 32 / bits, w += WORDS_BYTES) {
      let w0 = v128.load(w), w1 = v128.load(w, 16);
      for (let k = min(count, 32 / bits); k > 0; k--, a0 += 4) {
        const q0 = weight(w0, mask, z0, v128.load(scales)), q1 = weight(w1, mask, z1, v128.load(scales, 16));
        const x = v128.load32_splat(a0), y = v128.load32_splat(a0 + a1);
        c0 = plus(c0, x, q0);
        c1 = plus(c1, x, q1);
        d0 = plus(d0, y, q0);
        d1 = plus(d1, y, q1);
        const u = v128.load32_splat(a0 + a2), v = v128.load32_splat(a0 + a3);
        e0 = plus(e0, u, q0);
        e1 = plus(e1, u, q1);
        f0 = plus(f0, v, q0);
        f1 = plus(f1, v, q1);
        w0 = i32x4.shr_u(w0, bits);
        w1 = i32x4.shr_u(w1, bits);
      }
    }
  }
  const output = p.output + <usize>row * p.ldc + ((unit * COLUMNS) << 2);
  const columns = p.n - unit * COLUMNS;
  storeColumns(output, c0, c1, columns);
  storeColumns(output + <usize>step1 * p.ldc, d0, d1, columns);
  storeColumns(output + <usize>step2 * p.ldc, e0, e1, columns);
  storeColumns(output + <usize>step3 * p.ldc, f0, f1, columns);
}

function unitOf2(p: BlockMatmulArgs, unit: i32): void {
  if (p.rows == 1) oneRow(p, unit, p.a, p.output + ((unit * COLUMNS) << 2), 2);
  else for (let row = 0; row < p.rows; row += 4) fourRows(p, unit, row, 2);
}

function unitOf4(p: BlockMatmulArgs, unit: i32): void {
  if (p.rows == 1) oneRow(p, unit, p.a, p.output + ((unit * COLUMNS) << 2), 4);
  else for (let row = 0; row < p.rows; row += 4) fourRows(p, unit, row, 4);
}

function unitOf8(p: BlockMatmulArgs, unit: i32): void {
  if (p.rows == 1) oneRow(p, unit, p.a, p.output + ((unit * COLUMNS) << 2), 8);
  else for (let row = 0; row < p.rows; row += 4) fourRows(p, unit, row, 8);
}

export function block_matmul(args: usize, begin: i32, end: i32): void {
  const p = changetype<BlockMatmulArgs>(args);
  for (let unit = begin; unit < end; unit++) {
    if (p.bits == 4) unitOf4(p, unit);
    else if (p.bits == 8) unitOf8(p, unit);
    else unitOf2(p, unit);
  }
}
