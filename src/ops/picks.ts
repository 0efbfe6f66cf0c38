/** Compress, Unique, CenterCropPad: elements picked by conditions, order or position. Source: ONNX opset 9 to 18. */

import { formatShape, sizeOf } from "../tensor/shape.ts";
import { zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { flag, optionalInts, readAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import {
  constantInts,
  constantValues,
  numbersAt,
  required,
  requireRank,
  requireType,
  resolveAxes,
  resolveAxis,
  shapeError,
} from "./checks.ts";
import { defineMovement } from "./movement.ts";
import { defineOp, type Numbers, type OpDef } from "./op.ts";
import { type AxisMap, applyMovement, mapped } from "./regions.ts";
import { erased } from "./registry.ts";

/** The positions where a condition is true; beyond its end nothing is picked. throws ModelError "op/shape" when it is too long. */
function chosen(condition: ArrayLike<number>, extent: number): number[] {
  if (condition.length > extent) throw shapeError(`the condition has ${condition.length} elements, expected at most ${extent}`);
  return Array.from(condition, (truth, i) => (truth === 0 ? -1 : i)).filter((i) => i >= 0);
}

/** Data as Compress sees it: flat without an axis. */
function viewOf(dims: readonly number[], axis: number | undefined): { view: readonly number[]; at: number } {
  return axis === undefined ? { view: [sizeOf(dims)], at: 0 } : { view: dims, at: resolveAxis(axis, dims.length) };
}

function compressed(dims: readonly number[], condition: ArrayLike<number>, axis: number | undefined) {
  const { view, at } = viewOf(dims, axis);
  const picked = chosen(condition, view[at] as number);
  const out = view.map((dim, i) => (i === at ? picked.length : dim));
  const maps: AxisMap[] = view.map((_, i) => (i === at ? picked : null));
  return { view, out, maps };
}

function compressNumbers(x: Numbers, condition: Numbers, axis: number | undefined, like: (dims: readonly number[]) => Numbers): Numbers {
  const { view, at } = viewOf(x.dims, axis);
  const picked = chosen(condition.data, view[at] as number);
  const out = like(view.map((dim, i) => (i === at ? picked.length : dim)));
  const inner = sizeOf(view.slice(at + 1));
  const extent = view[at] as number;
  let to = 0;
  for (let outer = 0; outer < sizeOf(view.slice(0, at)); outer++) {
    for (const index of picked) {
      for (let i = 0; i < inner; i++) out.data[to++] = x.data[(outer * extent + index) * inner + i] as number;
    }
  }
  return out;
}

const compress = defineOp<{ readonly axis: number | undefined }>({
  type: "Compress",
  since: 9,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { axis: optionalInt() }),
  infer(inputs, { axis }) {
    const [x, condition] = [required(inputs, 0), required(inputs, 1)];
    requireType(condition, 1, "bool");
    requireRank(condition, 1, 1);
    return [{ type: x.type, dims: compressed(x.dims, constantValues(condition, 1), axis).out }];
  },
  float: (inputs, { axis }, precision) => [
    compressNumbers(numbersAt(inputs, 0), numbersAt(inputs, 1), axis, (dims) => zerosLike(numbersAt(inputs, 0), dims, precision)),
  ],
  error: (inputs, errors, outputs, { axis }) => [
    errors[0] ? compressNumbers(errors[0], numbersAt(inputs, 1), axis, (dims) => integers(dims)) : integers(numbersAt(outputs, 0).dims),
  ],
  traits: {
    passesEncoding: true,
    movement([x, condition], _outputs, { axis }) {
      if (!x || !condition?.constant) return undefined;
      const { view, out, maps } = compressed(x.dims, condition.constant, axis);
      const movement = mapped(view, out, maps);
      return movement && [movement];
    },
  },
});

interface UniqueAttrs {
  readonly axis: number | undefined;
  readonly sorted: boolean;
}

interface Groups {
  readonly first: readonly number[]; // of each distinct slice, where it stands first
  readonly inverse: readonly number[]; // of each slice, which distinct one it is
  readonly counts: readonly number[];
}

/** Element `i` of slice `slice` of `view` along `at`. */
function sliceReader(data: ArrayLike<number>, view: readonly number[], at: number): (slice: number, i: number) => number {
  const inner = sizeOf(view.slice(at + 1));
  const extent = view[at] as number;
  return (slice, i) => data[(Math.floor(i / inner) * extent + slice) * inner + (i % inner)] as number;
}

/** Equal slices grouped, in ascending lexicographic order or in that of their first appearance. */
function groupSlices(data: ArrayLike<number>, view: readonly number[], at: number, sorted: boolean): Groups {
  const read = sliceReader(data, view, at);
  const extent = view[at] as number;
  const size = sizeOf(view) / Math.max(extent, 1);
  const compare = (a: number, b: number): number => {
    for (let i = 0; i < size; i++) if (read(a, i) !== read(b, i)) return read(a, i) < read(b, i) ? -1 : 1;
    return 0;
  };
  const order = Array.from({ length: extent }, (_, i) => i).sort((a, b) => compare(a, b) || a - b);
  const runs: number[][] = [];
  for (const slice of order) {
    const run = runs.at(-1);
    if (run && compare(run[0] as number, slice) === 0) run.push(slice);
    else runs.push([slice]);
  }
  if (!sorted) runs.sort((a, b) => (a[0] as number) - (b[0] as number));
  const inverse = new Array<number>(extent);
  for (const [k, run] of runs.entries()) for (const slice of run) inverse[slice] = k;
  return { first: runs.map((run) => run[0] as number), inverse, counts: runs.map((run) => run.length) };
}

const unique = defineOp<UniqueAttrs>({
  type: "Unique",
  since: 11,
  arity: { inputs: [1, 1], outputs: [1, 4] },
  parse: (attrs) => readAttrs(attrs, { axis: optionalInt(), sorted: flag(true) }),
  infer(inputs, { axis, sorted }) {
    const x = required(inputs, 0);
    const { view, at } = viewOf(x.dims, axis);
    const { first } = groupSlices(constantValues(x, 0), view, at, sorted);
    const list = (length: number) => ({ type: "int64" as const, dims: [length] });
    const dims = view.map((dim, i) => (i === at ? first.length : dim));
    return [{ type: x.type, dims }, list(first.length), list(view[at] as number), list(first.length)];
  },
  float(inputs, { axis, sorted }, precision) {
    const x = numbersAt(inputs, 0);
    const { view, at } = viewOf(x.dims, axis);
    const { first, inverse, counts } = groupSlices(x.data, view, at, sorted);
    const dims = view.map((dim, i) => (i === at ? first.length : dim));
    const out = zerosLike(x, dims, precision);
    const read = sliceReader(x.data, view, at);
    const inner = sizeOf(view.slice(at + 1));
    for (let i = 0; i < out.data.length; i++) {
      const outer = Math.floor(i / (inner * first.length));
      out.data[i] = read(first[Math.floor(i / inner) % first.length] as number, outer * inner + (i % inner));
    }
    return [out, ...[first, inverse, counts].map((list) => integers([list.length], Float64Array.from(list)))];
  },
  traits: {},
});

/** Each axis cut or padded with zeros to its wanted extent, the odd element at its end. Source: the function body of CenterCropPad-18. */
const centerCropPad = defineMovement<{ readonly axes: readonly number[] | undefined }>({
  type: "CenterCropPad",
  since: 18,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  integers: [1],
  parse: (attrs) => readAttrs(attrs, { axes: optionalInts() }),
  shapes(inputs, attrs) {
    const { dims } = required(inputs, 0);
    const wanted = constantInts(required(inputs, 1), 1);
    const axes = attrs.axes ? resolveAxes(attrs.axes, dims.length) : dims.map((_, i) => i);
    if (wanted.length !== axes.length) throw shapeError(`input 1 has ${wanted.length} extents, expected ${axes.length}`);
    return [dims.map((dim, i) => (axes.includes(i) ? (wanted[axes.indexOf(i)] as number) : dim))];
  },
  movement(inputs, [out = []]) {
    const { dims } = required(inputs, 0);
    const maps = dims.map((dim, i): AxisMap => {
      const extent = out[i] as number;
      const shift = dim >= extent ? Math.floor((dim - extent) / 2) : -Math.floor((extent - dim) / 2);
      return Array.from({ length: extent }, (_, k) => (k + shift >= 0 && k + shift < dim ? k + shift : -1));
    });
    const movement = mapped(dims, out, maps, 0);
    return movement && [movement];
  },
  direct(inputs, [out], attrs) {
    const infos = inputs.map((x) => x && { type: "float32" as const, dims: x.dims, constant: x.data });
    const movement = centerCropPad.traits.movement?.(infos, [(out as Numbers).dims], attrs)?.[0];
    if (!movement) throw shapeError(`${formatShape(numbersAt(inputs, 0).dims)} needs too many pieces`);
    applyMovement(movement, inputs, out as Numbers);
  },
});

export const PICKS: readonly OpDef[] = [erased(compress), erased(unique), centerCropPad];
