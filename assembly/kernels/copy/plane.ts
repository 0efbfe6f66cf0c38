// Copies of one or two axes: contiguous runs, blocked transposes of 1- and 4-byte elements, and the general strided case.

/** `count` elements, strides in bytes. */
export function copyRun(input: usize, output: usize, count: i32, inStride: i32, outStride: i32, size: i32): void {
  if (inStride == size && outStride == size) copyBytes(input, output, count * size);
  else if (size == 1) elements<u8>(input, output, count, inStride, outStride);
  else if (size == 2) elements<u16>(input, output, count, inStride, outStride);
  else if (size == 4) elements<u32>(input, output, count, inStride, outStride);
  else elements<u64>(input, output, count, inStride, outStride);
}

/** rows × columns elements. A transposed plane (input rows contiguous along the output's rows) goes in square blocks. */
export function plane(
  input: usize, output: usize, rows: i32, columns: i32,
  inRow: i32, inColumn: i32, outRow: i32, outColumn: i32, size: i32,
): void {
  let done = 0; // rows finished
  if (inRow == size && outColumn == size && inColumn != size) {
    if (size == 1 && columns == 3 && outRow == 3) done = interleave3(input, output, rows, inColumn);
    else if (size == 1) done = transposeBytes(input, output, rows, columns, inColumn, outRow);
    else if (size == 4) done = transposeWords(input, output, rows, columns, inColumn, outRow);
  }
  for (let row = done; row < rows; row++) {
    copyRun(input + row * inRow, output + row * outRow, columns, inColumn, outColumn, size);
  }
}

function elements<T>(input: usize, output: usize, count: i32, inStride: i32, outStride: i32): void {
  for (let i = 0; i < count; i++) {
    store<T>(output, load<T>(input));
    input += inStride;
    output += outStride;
  }
}

/** Short runs in steps of 16, 8 or 4 bytes, whose call would cost more than the copy; long ones by the engine. The last step lies on the end of the
 *  run, over what the one before copied: input and output do not overlap. */
@inline
function copyBytes(input: usize, output: usize, bytes: i32): void {
  if (bytes > 256) {
    memory.copy(output, input, bytes);
  } else if (bytes >= 16) {
    const last = bytes - 16;
    for (let i = 0; i < last; i += 16) v128.store(output + i, v128.load(input + i));
    v128.store(output + last, v128.load(input + last));
  } else if (bytes >= 8) {
    const last = load<u64>(input + bytes - 8);
    store<u64>(output, load<u64>(input));
    store<u64>(output + bytes - 8, last);
  } else if (bytes >= 4) {
    const last = load<u32>(input + bytes - 4);
    store<u32>(output, load<u32>(input));
    store<u32>(output + bytes - 4, last);
  } else {
    for (let i = 0; i < bytes; i++) store<u8>(output + i, load<u8>(input + i));
  }
}

/** Three planes to pixels of three bytes, 16 pixels at a time. Returns the pixels done. */
function interleave3(input: usize, output: usize, pixels: i32, inColumn: i32): i32 {
  const count = pixels & ~15;
  for (let i = 0; i < count; i += 16, output += 48) {
    const a = v128.load(input + i), b = v128.load(input + inColumn + i), c = v128.load(input + 2 * inColumn + i);
    const x = v128.shuffle<i8>(a, b, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
    const y = v128.shuffle<i8>(a, b, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
    const z = v128.shuffle<i8>(a, b, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
    v128.store(output, v128.shuffle<i8>(x, c, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
    v128.store(output, v128.shuffle<i8>(y, c, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
    v128.store(output, v128.shuffle<i8>(z, c, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
  }
  return count;
}

/** Columns of a tile: what it reads is read again from a near cache while all rows pass, and each row writes long runs. */
const TILE: i32 = 256;

/** Blocks of 8×8 bytes, tile by tile; the last blocks lie on the end of the plane, over what others wrote. Fewer than 8 columns go one by one. Returns the
 *  rows done: all, or none where there are fewer than 8. */
function transposeBytes(input: usize, output: usize, rows: i32, columns: i32, inColumn: i32, outRow: i32): i32 {
  if (rows < 8) return 0;
  if (columns < 8) {
    for (let column = 0; column < columns; column++) elements<u8>(input + column * inColumn, output + column, rows, 1, outRow);
    return rows;
  }
  for (let first = 0; first < columns; first += TILE) {
    const stop = min(first + TILE, columns);
    for (let next = 0; next < rows; next += 8) {
      const row = min(next, rows - 8);
      const from = input + row, to = output + row * outRow;
      for (let column = first; column < stop; column += 8) {
        const at = min(column, columns - 8);
        bytes8x8(from + at * inColumn, inColumn, to + at, outRow);
      }
    }
  }
  return rows;
}

/** Three rounds of interleaving: bytes, 16-bit pairs, 32-bit quads. */
@inline
function bytes8x8(input: usize, inStride: i32, output: usize, outStride: i32): void {
  const a0 = zip8(input, inStride);
  const a1 = zip8(input + 2 * inStride, inStride);
  const a2 = zip8(input + 4 * inStride, inStride);
  const a3 = zip8(input + 6 * inStride, inStride);
  const b0 = v128.shuffle<i16>(a0, a1, 0, 8, 1, 9, 2, 10, 3, 11);
  const b1 = v128.shuffle<i16>(a0, a1, 4, 12, 5, 13, 6, 14, 7, 15);
  const b2 = v128.shuffle<i16>(a2, a3, 0, 8, 1, 9, 2, 10, 3, 11);
  const b3 = v128.shuffle<i16>(a2, a3, 4, 12, 5, 13, 6, 14, 7, 15);
  storeHalves(output, outStride, v128.shuffle<i32>(b0, b2, 0, 4, 1, 5));
  storeHalves(output + 2 * outStride, outStride, v128.shuffle<i32>(b0, b2, 2, 6, 3, 7));
  storeHalves(output + 4 * outStride, outStride, v128.shuffle<i32>(b1, b3, 0, 4, 1, 5));
  storeHalves(output + 6 * outStride, outStride, v128.shuffle<i32>(b1, b3, 2, 6, 3, 7));
}

@inline
function zip8(input: usize, stride: i32): v128 {
  return v128.shuffle<i8>(
    v128.load64_zero(input), v128.load64_zero(input + stride),
    0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
  );
}

@inline
function storeHalves(output: usize, stride: i32, pair: v128): void {
  v128.store64_lane(output, pair, 0);
  v128.store64_lane(output + stride, pair, 1);
}

/** Blocks of 4×4 words. Returns the rows done (a multiple of 4). */
function transposeWords(input: usize, output: usize, rows: i32, columns: i32, inColumn: i32, outRow: i32): i32 {
  const blockRows = rows & ~3;
  const blockColumns = columns & ~3;
  for (let row = 0; row < blockRows; row += 4) {
    const to = output + row * outRow;
    for (let column = 0; column < blockColumns; column += 4) {
      words4x4(input + 4 * row + column * inColumn, inColumn, to + 4 * column, outRow);
    }
    for (let column = blockColumns; column < columns; column++) {
      elements<u32>(input + 4 * row + column * inColumn, to + 4 * column, 4, 4, outRow);
    }
  }
  return blockRows;
}

@inline
function words4x4(input: usize, inStride: i32, output: usize, outStride: i32): void {
  const r0 = v128.load(input);
  const r1 = v128.load(input + inStride);
  const r2 = v128.load(input + 2 * inStride);
  const r3 = v128.load(input + 3 * inStride);
  const a0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const a1 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const a2 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const a3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(output, v128.shuffle<i64>(a0, a2, 0, 2));
  v128.store(output + outStride, v128.shuffle<i64>(a0, a2, 1, 3));
  v128.store(output + 2 * outStride, v128.shuffle<i64>(a1, a3, 0, 2));
  v128.store(output + 3 * outStride, v128.shuffle<i64>(a1, a3, 1, 3));
}
