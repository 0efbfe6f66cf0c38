/** Kernels of products with packed float weights (RNN, GRU, LSTM, convolutions): field lists, and how weights are packed for them. Types
 *  f32 and f64 as in the float family. */

/** Bytes of a panel's row: columns side by side in one step of the products. */
export const PANEL_BYTES = 128;
export const HALF_PANEL_BYTES = 64;
const VECTOR_BYTES = 16;

/** - panels: output[row] = a[row] · w for `rows` rows of `k` elements, `lda` and `ldc` bytes apart; k ascending from 0.
 *    panel: PANEL_BYTES, or HALF_PANEL_BYTES where one of those holds all columns. units = panels.
 *  - conv_panels: a convolution with constant weights: per group `panels` panels of `panel` bytes a row, group after group; geometry as conv;
 *    bias: T per output channel, or 0. `chunk` pixels at a time: rows holds their inputs, a row per pixel, products their outputs, panels · panel
 *    bytes per pixel. units = batch · groups.
 *  - recurrent: all steps of one direction and row of the batch; cell: CELL; u = x·Wᵀ without bias, columns as `gateColumns`; bias: Wb + Rb per
 *    direction in the same columns (GRU: one gate more, Rb of the candidate, and with linear_before_reset Wb alone before it); r: panels of Rᵀ, for
 *    GRU those of z and r, then those of the candidate (`laterPanels`, whose product lies `candidate` bytes behind the first);
 *    peepholes: i, o, f per direction, padded; lengths: float32 per row; h0, c0, y, lastH, lastC may be 0; strides in bytes; scratch:
 *    `scratchBytes` for each unit; functions: opcode, 0 and two f64 for each of f, g, h per direction; clip → f64. units = directions · batch. */
export const RECURRENT_KERNELS = {
  ...both("panels", ["a", "lda", "w", "panel", "output", "ldc", "k", "rows"] as const),
  ...both("conv_panels", ["input", "w", "panel", "panels", "bias", "output", "geometry", "rows", "products", "chunk"] as const),
  ...both("recurrent", [
    "cell",
    "u",
    "uStep",
    "uDirection",
    "uBatch",
    "bias",
    "r",
    "rDirection",
    "peepholes",
    "lengths",
    "h0",
    "c0",
    "y",
    "yStep",
    "yDirection",
    "yBatch",
    "lastH",
    "lastC",
    "stateDirection",
    "stateBatch",
    "scratch",
    "scratchUnit",
    "candidate",
    "panels",
    "laterPanels",
    "hidden",
    "padded",
    "steps",
    "batch",
    "backward",
    "option",
    "functions",
    "clip",
  ] as const),
} as const satisfies Readonly<Record<string, readonly string[]>>;

export const CELL = { RNN: 0, GRU: 1, LSTM: 2 } as const;

function both<N extends string, F extends readonly string[]>(name: N, fields: F): Readonly<Record<`${N}_${"f32" | "f64"}`, F>> {
  return { [`${name}_f32`]: fields, [`${name}_f64`]: fields } as Record<`${N}_${"f32" | "f64"}`, F>;
}

type Data = Float32Array | Float64Array;

/** `columns` rows of `depth` elements as columns of panels of `panel` bytes. */
export function packColumns(source: Data, depth: number, columns: number, panel: number, target: Data): void {
  const width = panel / target.BYTES_PER_ELEMENT;
  for (let column = 0; column < columns; column++) {
    const base = Math.floor(column / width) * width * depth + (column % width);
    for (let k = 0; k < depth; k++) target[base + k * width] = source[column * depth + k]!;
  }
}

/** Units padded to whole vectors of `bytes`-byte elements. */
export function paddedUnits(hidden: number, bytes: number): number {
  const lanes = VECTOR_BYTES / bytes;
  return Math.ceil(hidden / lanes) * lanes;
}

/** Panels that hold `columns` columns of `bytes`-byte elements. */
export function panelsOf(columns: number, bytes: number): number {
  return Math.ceil((columns * bytes) / PANEL_BYTES);
}

/** Scratch of one unit of recurrent_*: products, then h, c and r·h. */
export function scratchBytes(panels: number, padded: number, bytes: number): number {
  return panels * PANEL_BYTES + 3 * padded * bytes;
}

/** Rows [begin, begin + gates·hidden) of a row-major matrix of `depth` columns, as columns of panels: gate after gate, each padded with
 *  zeros to `padded`, written from column `first` of `panels` on. */
export function packGates(
  source: Data,
  depth: number,
  { begin, gates, hidden, padded }: { readonly begin: number; readonly gates: number; readonly hidden: number; readonly padded: number },
  target: Data,
  first: number,
): void {
  const width = PANEL_BYTES / target.BYTES_PER_ELEMENT;
  for (let gate = 0; gate < gates; gate++) {
    for (let i = 0; i < hidden; i++) {
      const column = first + gate * padded + i;
      const base = Math.floor(column / width) * width * depth + (column % width);
      const row = (begin + gate * hidden + i) * depth;
      for (let k = 0; k < depth; k++) target[base + k * width] = source[row + k]!;
    }
  }
}
