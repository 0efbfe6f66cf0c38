/** Shapes as plain arrays of dimensions: sizes, strides, broadcasting. Row-major unless said otherwise. */

/** Largest extent of one axis: lists with an entry per index of an axis stay ordinary arrays. */
export const MAX_EXTENT = 2 ** 25;

/** Number of elements; throws RangeError when the product is not a safe integer. */
export function sizeOf(dims: readonly number[]): number {
  let size = 1;
  for (const dim of dims) size *= dim;
  if (!Number.isSafeInteger(size)) throw new RangeError(`shape [${dims.join(", ")}] has too many elements`);
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= dims[i] as number;
  }
  return strides;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Broadcast result of two shapes (numpy rules); undefined when they contradict. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides (elements, row-major) with which an operand of shape `dims` is read over the broadcast shape `out`; 0 where it repeats. */
export function broadcastStrides(dims: readonly number[], out: readonly number[]): number[] {
  const own = stridesOf(dims);
  return out.map((_, i) => {
    const j = i - (out.length - dims.length);
    return j < 0 || dims[j] === 1 ? 0 : (own[j] as number);
  });
}

/** Axis in [0, rank); undefined when out of range. */
export function normalizeAxis(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : undefined;
}

export function formatShape(dims: readonly (number | string)[]): string {
  return `[${dims.join(", ")}]`;
}
