/** Where in a tensor mismatches lie and how far from their tie: two counts of bounded size, whatever the tensor's. */

/** Counts over a tensor cut into at most 32 × 32 cells. */
export interface Heatmap {
  readonly rowAxis: number | null; // null: the tensor has one axis or none
  readonly rowSize: number; // elements along rowAxis
  readonly columnAxes: readonly number[]; // the axes laid out along columns, row-major; axes in neither are summed
  readonly columnSize: number; // elements along columnAxes together
  readonly rows: number;
  readonly columns: number;
  readonly counts: readonly number[]; // (rows, columns), mismatches of all samples
}

/** Counts of distances: bin i holds those in [from[i], from[i + 1]) LSB, the first all below its end, the last all above its begin. */
export interface Histogram {
  readonly from: readonly number[];
  readonly counts: readonly number[];
}

const MOST_CELLS = 32;
/** Half decades from 10⁻⁹ LSB; a distance of 0 lies in the first bin. */
const EDGES: readonly number[] = [
  0, 3e-9, 1e-8, 3e-8, 1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1, 3,
];

/** A map of a tensor of shape `dims` in which nothing is counted: channels (axis 1) by positions, for two axes axis 0 by axis 1. */
export function emptyHeatmap(dims: readonly number[]): Heatmap & { counts: number[] } {
  const rowAxis = dims.length < 2 ? null : dims.length === 2 ? 0 : 1;
  const columnAxes = dims.map((_, axis) => axis).filter((axis) => axis > (rowAxis ?? -1));
  const rowSize = rowAxis === null ? 1 : dims[rowAxis]!;
  const columnSize = columnAxes.reduce((size, axis) => size * dims[axis]!, 1);
  const rows = Math.min(MOST_CELLS, rowSize);
  const columns = Math.min(MOST_CELLS, columnSize);
  return { rowAxis, rowSize, columnAxes, columnSize, rows, columns, counts: new Array<number>(rows * columns).fill(0) };
}

/** Counts the mismatch at linear index `i`: columns are the last axes, so rows repeat every rowSize · columnSize elements. */
export function addToHeatmap(map: Heatmap & { counts: number[] }, i: number): void {
  const column = Math.floor(((i % map.columnSize) * map.columns) / map.columnSize);
  const row = Math.floor(((Math.floor(i / map.columnSize) % map.rowSize) * map.rows) / map.rowSize);
  map.counts[row * map.columns + column]!++;
}

export function emptyHistogram(): Histogram & { counts: number[] } {
  return { from: EDGES, counts: EDGES.map(() => 0) };
}

/** Counts a distance in LSB, at least 0. */
export function addToHistogram(histogram: Histogram & { counts: number[] }, distance: number): void {
  const bin = histogram.from.findLastIndex((from) => distance >= from);
  histogram.counts[Math.max(0, bin)]!++;
}
