/** block_matmul: products of float32 rows with weights that stay codes of 2, 4 or 8 bits. Its fields, and how codes are packed for it. */

/** Columns that one unit of the kernel computes. */
export const UNIT_COLUMNS = 8;
const COLUMNS = UNIT_COLUMNS;

/** output[row] = a[row] · w, w = scale · (code − zero), k ascending from 0; rows `lda` and `ldc` bytes apart. Per 8 columns: `words` 32-bit words of
 *  each column, [words][8], consecutive k from the low bits on, blocks of `block` k on whole words; scales (f32) and zeros (u8) [blocks][8].
 *  units = ⌈n / 8⌉. */
export const BLOCK_MATMUL_KERNELS = {
  block_matmul: ["a", "lda", "w", "bits", "words", "scales", "zeros", "block", "blocks", "output", "ldc", "rows", "k", "n"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Units of `n` columns. */
export function unitsOf(n: number): number {
  return Math.ceil(n / COLUMNS);
}

/** Words of all columns as the kernel reads them; columns beyond n are 0. */
export function packWords(n: number, words: number, columnWords: (column: number) => Uint32Array): Uint32Array {
  const out = new Uint32Array(unitsOf(n) * words * COLUMNS);
  const none = new Uint32Array(words);
  let at = 0;
  for (let first = 0; first < n; first += COLUMNS) {
    const columns = Array.from({ length: COLUMNS }, (_, j) => (first + j < n ? columnWords(first + j) : none));
    for (let i = 0; i < words; i++) for (let j = 0; j < COLUMNS; j++) out[at++] = columns[j]![i]!;
  }
  return out;
}

/** Scales or zero points as the kernel reads them: `out` holds unitsOf(n) · blocks · 8 of them, that of a column's block lies at
 *  block · perBlock + column · perColumn of `from`; `less` is subtracted. */
export function packBlocks<T extends Float32Array | Uint8Array>(
  out: T,
  n: number,
  blocks: number,
  from: ArrayLike<number>,
  [perBlock, perColumn]: readonly [number, number],
  less: number,
): T {
  let at = 0;
  for (let first = 0; first < n; first += COLUMNS) {
    const end = Math.min(first + COLUMNS, n);
    for (let block = 0; block < blocks; block++, at += COLUMNS)
      for (let column = first; column < end; column++) out[at + column - first] = from[block * perBlock + column * perColumn]! - less;
  }
  return out;
}
