/** Writers of the descriptors the elementwise kernels read: merged shapes, window axes, constants with their near-tie thresholds. */
import type { CodeSumConstants } from "../numerics/proveSum.ts";

export interface Descriptor {
  readonly words: Int32Array;
  readonly rank: number;
  readonly units: number;
}

/** One window axis as src/ops/op.ts has it. */
export interface Axis {
  readonly size: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
}

export const MAX_RANK = 8;

/** Drops axes of extent 1 and merges neighbours that every operand walks as one, strides in the given unit. */
function merged(dims: readonly number[], strides: readonly (readonly number[])[]): { dims: number[]; strides: number[][] } {
  const kept: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = 0; axis < dims.length; axis++) {
    const dim = dims[axis] as number;
    if (dim === 1) continue;
    const last = kept.length - 1;
    const fuses = last >= 0 && strides.every((s, i) => (steps[i] as number[])[last] === (s[axis] as number) * dim);
    if (fuses) kept[last] = (kept[last] as number) * dim;
    else kept.push(dim);
    strides.forEach((s, i) => {
      (steps[i] as number[])[fuses ? last : kept.length - 1] = s[axis] as number;
    });
  }
  if (kept.length === 0) {
    kept.push(1);
    for (const step of steps) step.push(0);
  }
  return { dims: kept, strides: steps };
}

function descriptor(dims: readonly number[], strides: readonly (readonly number[])[]): Descriptor {
  if (dims.includes(0)) return { words: new Int32Array(1 + strides.length), rank: 1, units: 0 };
  const shape = merged(dims, strides);
  if (shape.dims.length > MAX_RANK)
    throw new RangeError(`strided walk has ${shape.dims.length} axes after merging, kernels take ${MAX_RANK}`);
  return { words: Int32Array.from([shape.dims, ...shape.strides].flat()), rank: shape.dims.length, units: shape.dims[0] as number };
}

/** Descriptor of copy_strided; strides in elements, `size` bytes an element. */
export function copyDescriptor(
  dims: readonly number[],
  inStrides: readonly number[],
  outStrides: readonly number[],
  size: number,
): Descriptor {
  const bytes = (strides: readonly number[]) => strides.map((stride) => stride * size);
  const order = byOutput(dims, outStrides);
  const pick = (list: readonly number[]) => order.map((axis) => list[axis] as number);
  return descriptor(pick(dims), [pick(bytes(inStrides)), pick(bytes(outStrides))]);
}

/** Axes in order of falling output stride: writes run forward through memory. */
function byOutput(dims: readonly number[], outStrides: readonly number[]): number[] {
  return dims.map((_, axis) => axis).sort((x, y) => Math.abs(outStrides[y] as number) - Math.abs(outStrides[x] as number));
}

/** Descriptor of linear_binary, add_fixed, mul_fixed, binary_* (two operands) and where_* (three): `out` dims and each operand's
 *  broadcast strides in elements (src/tensor/shape.ts broadcastStrides). The output is row-major over `out`. */
export function broadcastDescriptor(out: readonly number[], ...operands: readonly (readonly number[])[]): Descriptor {
  return descriptor(out, operands);
}

function passes(axis: Axis): boolean {
  return axis.window === 1 && axis.stride === 1 && axis.padBegin === 0 && axis.out === axis.size;
}

/** One output, every input element of the axis once and nothing else. */
function covers(axis: Axis): boolean {
  return axis.out === 1 && axis.window === axis.size && axis.dilation === 1 && axis.padBegin === 0;
}

/** Descriptor of mean_q, extreme_q and reduce_*: `axes` and input strides (elements) in the order the output lies in memory;
 *  `extents`: padded extents that count (average with padding), or null. Trailing pass-through axes become `run`. */
export function windowDescriptor(
  axes: readonly Axis[],
  inStrides: readonly number[],
  extents: readonly number[] | null,
): Descriptor & { readonly run: number } {
  let last = axes.length;
  let run = 1;
  while (last > 0 && passes(axes[last - 1] as Axis) && ((axes[last - 1] as Axis).size === 1 || inStrides[last - 1] === run)) {
    run *= (axes[--last] as Axis).size;
  }
  const words: number[][] = [];
  const kinds: string[] = [];
  for (let i = 0; i < last; i++) {
    const axis = axes[i] as Axis;
    const stride = inStrides[i] as number;
    const kind = passes(axis) ? "passes" : covers(axis) ? "covers" : "slides";
    if (axis.size === 1 && kind === "passes") continue;
    const before = words.at(-1);
    if (before && kind !== "slides" && kinds.at(-1) === kind && before[6] === stride * axis.size) {
      for (const field of kind === "passes" ? [0, 5] : [1, 5]) before[field] = (before[field] as number) * axis.size;
      before[6] = stride;
      continue;
    }
    kinds.push(kind);
    words.push([
      axis.out,
      axis.window,
      axis.stride,
      axis.dilation,
      axis.padBegin,
      axis.size,
      stride,
      kind === "slides" ? (extents?.[i] ?? 0) : 0,
    ]);
  }
  if (words.length > 5) throw new RangeError(`window has ${words.length} axes after merging, kernels take 5`);
  const units = words.reduce((product, word) => product * (word[0] as number), 1);
  return { words: Int32Array.from(words.flat()), rank: words.length, units: run === 0 ? 0 : units, run };
}

/** The proven constants of add_q8 as its fields. */
export function codeSumFields({ high, low, offset, add }: CodeSumConstants): Record<"high" | "low" | "offset" | "add", number> {
  const pair = ([first, second]: readonly [number, number]) => (first & 0xffff) | (second << 16);
  return { high: pair(high), low: pair(low), offset, add };
}

/** Constants of mean_q, modes 0 and 1: sx, sy, near-tie threshold. `maxSum`: bound of |Σ (stored − zero)| (mean: of one element).
 *  S·sx, n·sy, the division: three roundings, |error| ≤ 4·2^-53·bound. */
export function meanReals(sx: number, sy: number, maxSum: number): Float64Array {
  const bound = (sx * maxSum) / sy;
  if (!(bound < 2 ** 44)) throw new RangeError(`values reach ${bound} steps of the output scale`);
  return Float64Array.of(sx, sy, Math.max(bound * 2 ** -50, 2 ** -60));
}
