// The register tile of conv_pixels_f32: four output channels by eight pixels, two vectors each. Eight sums side by side hide the latency of an
// addition; a step of the depth is four weights, two vectors of inputs and sixteen operations.

export const TILE_COLUMNS: i32 = 4;
export const TILE_PIXELS: i32 = 8;

/** Scratch page: the tile's results where not all of them are wanted. */
const RESULTS: usize = SCRATCH + 128;

/** c[channel][pixel] = Σ w[k][channel]·a[k][pixel] + bias[channel], k ascending from 0; `rows` channels, `pitch` bytes apart, of `count` pixels. */
export function pixelTile(w: usize, a: usize, depth: i32, bias: usize, output: usize, pitch: usize, rows: i32, count: i32): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (let k = depth; k > 0; k--, w += 16, a += 32) {
    const low = v128.load(a);
    const high = v128.load(a, 16);
    let s = v128.load32_splat(w);
    c0 = f32x4.add(c0, f32x4.mul(s, low));
    c1 = f32x4.add(c1, f32x4.mul(s, high));
    s = v128.load32_splat(w, 4);
    c2 = f32x4.add(c2, f32x4.mul(s, low));
    c3 = f32x4.add(c3, f32x4.mul(s, high));
    s = v128.load32_splat(w, 8);
    c4 = f32x4.add(c4, f32x4.mul(s, low));
    c5 = f32x4.add(c5, f32x4.mul(s, high));
    s = v128.load32_splat(w, 12);
    c6 = f32x4.add(c6, f32x4.mul(s, low));
    c7 = f32x4.add(c7, f32x4.mul(s, high));
  }
  const whole = count == TILE_PIXELS;
  const to = whole ? output : RESULTS;
  const step = whole ? pitch : 32;
  storeRow(to, c0, c1, biasOf(bias, 0));
  if (rows > 1) storeRow(to + step, c2, c3, biasOf(bias, 4));
  if (rows > 2) storeRow(to + 2 * step, c4, c5, biasOf(bias, 8));
  if (rows > 3) storeRow(to + 3 * step, c6, c7, biasOf(bias, 12));
  if (!whole) copyResults(output, pitch, rows, count);
}

/** x + −0 is x, whatever x. */
@inline
function biasOf(bias: usize, offset: usize): f32 {
  return bias ? load<f32>(bias + offset) : -0.0;
}

@inline
function storeRow(to: usize, low: v128, high: v128, bias: f32): void {
  const shift = f32x4.splat(bias);
  v128.store(to, f32x4.add(low, shift));
  v128.store(to, f32x4.add(high, shift), 16);
}

/** The first `count` of eight results per row, from scratch. */
export function copyResults(output: usize, pitch: usize, rows: i32, count: i32): void {
  for (let row = 0; row < rows; row++, output += pitch) {
    for (let i = 0; i < count; i++) store<f32>(output + (<usize>i << 2), load<f32>(RESULTS + (<usize>(row * 8 + i) << 2)));
  }
}
