/** Gather, GatherElements, GatherND, ScatterElements, ScatterND. Indices count from the back when negative. */

import { formatShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import { integers, offsetsOf, type Round } from "./arrays.ts";
import { int, oneOf, readAttrs } from "./attributes.ts";
import { boundAt, productSpread, rounded } from "./bounds.ts";
import { numbersAt, required, requireInteger, requireSameTypes, resolveAxis, shapeError } from "./checks.ts";
import { defineMovement } from "./movement.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { mapped } from "./regions.ts";
import { erased } from "./registry.ts";
import { scatterMovement } from "./scatterMovement.ts";

/** Index in [0, extent). throws ModelError "op/shape". */
function wrapIndex(index: number, extent: number): number {
  const at = index < 0 ? index + extent : index;
  if (!Number.isInteger(at) || at < 0 || at >= extent) throw shapeError(`index ${index} is out of range for an extent of ${extent}`);
  return at;
}

/** Indices that are known lie in [−extent, extent). throws ModelError "op/shape". */
function checkIndices({ constant }: TypeInfo, extent: number): void {
  for (const index of constant ?? []) wrapIndex(index, extent);
}

function gatherDims(data: readonly number[], indices: readonly number[], axis: number): number[] {
  const at = resolveAxis(axis, data.length);
  return [...data.slice(0, at), ...indices, ...data.slice(at + 1)];
}

const gather = defineMovement<{ readonly axis: number }>({
  type: "Gather",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  integers: [1],
  gather: ({ axis }) => axis,
  parse: (attrs) => readAttrs(attrs, { axis: int(0) }),
  shapes(inputs, { axis }) {
    const [data, indices] = [required(inputs, 0), required(inputs, 1)];
    const dims = gatherDims(data.dims, indices.dims, axis);
    checkIndices(indices, data.dims[resolveAxis(axis, data.dims.length)] as number);
    return [dims];
  },
  movement(inputs, _outputs, attrs) {
    const { dims } = required(inputs, 0);
    const indices = required(inputs, 1).constant;
    if (!indices) return undefined;
    const axis = resolveAxis(attrs.axis, dims.length);
    const map = Array.from(indices, (index) => wrapIndex(index, dims[axis] as number));
    const flat = [...dims.slice(0, axis), map.length, ...dims.slice(axis + 1)];
    const movement = mapped(
      dims,
      flat,
      flat.map((_, i) => (i === axis ? map : null)),
    );
    return movement && [movement];
  },
  direct(inputs, [out], attrs) {
    const [data, indices] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    const axis = resolveAxis(attrs.axis, data.dims.length);
    const inner = sizeOf(data.dims.slice(axis + 1));
    const extent = data.dims[axis] as number;
    const target = (out as Numbers).data;
    for (let o = 0, at = 0; o < sizeOf(data.dims.slice(0, axis)); o++) {
      for (const index of indices.data) {
        const from = (o * extent + wrapIndex(index, extent)) * inner;
        for (let i = 0; i < inner; i++) target[at++] = data.data[from + i] as number;
      }
    }
  },
});

/** For each element of `indices`, the element of `data` it names along `axis`. */
function elementOffsets(data: readonly number[], indices: Numbers, axis: number): Int32Array {
  const strides = stridesOf(data);
  const rest = offsetsOf(
    indices.dims,
    strides.map((stride, i) => (i === axis ? 0 : stride)),
  );
  return rest.map((at, i) => at + wrapIndex(indices.data[i] as number, data[axis] as number) * (strides[axis] as number));
}

function checkElements(inputs: readonly (TypeInfo | null)[], axis: number): void {
  const [data, indices] = [required(inputs, 0), required(inputs, 1)];
  requireInteger(indices, 1);
  const at = resolveAxis(axis, data.dims.length);
  const fits = indices.dims.length === data.dims.length && indices.dims.every((dim, i) => i === at || dim <= (data.dims[i] as number));
  if (!fits)
    throw shapeError(
      `the indices have shape ${formatShape(indices.dims)}, expected one within ${formatShape(data.dims)} but for axis ${at}`,
    );
  checkIndices(indices, data.dims[at] as number);
}

function pick(data: Numbers, offsets: Int32Array, out: Numbers): Numbers {
  for (let i = 0; i < offsets.length; i++) out.data[i] = data.data[offsets[i] as number] as number;
  return out;
}

/** Bounds move as their elements do. */
function moveBounds(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  offsets: Int32Array,
  output: Numbers,
): Numbers {
  return errors[0] ? pick(errors[0], offsets, integers(output.dims)) : integers(numbersAt(inputs, 0) && output.dims);
}

const gatherElements = defineOp<{ readonly axis: number }>({
  type: "GatherElements",
  since: 11,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { axis: int(0) }),
  infer(inputs, { axis }) {
    checkElements(inputs, axis);
    return [{ type: required(inputs, 0).type, dims: required(inputs, 1).dims }];
  },
  float(inputs, { axis }, precision) {
    const [data, indices] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    return [pick(data, elementOffsets(data.dims, indices, resolveAxis(axis, data.dims.length)), zerosLike(data, indices.dims, precision))];
  },
  error(inputs, errors, outputs, { axis }) {
    const [data, indices] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    return [moveBounds(inputs, errors, elementOffsets(data.dims, indices, resolveAxis(axis, data.dims.length)), numbersAt(outputs, 0))];
  },
  traits: { passesEncoding: true },
});

interface Tuples {
  readonly dims: number[];
  readonly inner: number; // elements each tuple names
}

/** Index tuples in the last axis of `indices`, after `batch` leading axes shared with data. */
function tuplesOf(data: readonly number[], indices: readonly number[], batch: number): Tuples {
  const length = indices.at(-1);
  if (length === undefined || length + batch > data.length || length < 1) {
    throw shapeError(`index tuples of ${formatShape(indices)} do not fit data of shape ${formatShape(data)} with ${batch} batch axes`);
  }
  if (indices.slice(0, batch).join() !== data.slice(0, batch).join())
    throw shapeError(`the batch axes of ${formatShape(indices)} and ${formatShape(data)} differ`);
  const tail = data.slice(batch + length);
  return { dims: [...indices.slice(0, -1), ...tail], inner: sizeOf(tail) };
}

/** For each element a tuple names, its offset in data. */
function tupleOffsets(data: readonly number[], indices: Numbers, batch: number): Int32Array {
  const { dims, inner } = tuplesOf(data, indices.dims, batch);
  const length = indices.dims.at(-1) as number;
  const strides = stridesOf(data);
  const perBatch = sizeOf(indices.dims.slice(batch, -1));
  const batchSize = sizeOf(data.slice(batch));
  const out = new Int32Array(sizeOf(dims));
  for (let tuple = 0; tuple * inner < out.length; tuple++) {
    let from = Math.floor(tuple / perBatch) * batchSize;
    for (let j = 0; j < length; j++)
      from += wrapIndex(indices.data[tuple * length + j] as number, data[batch + j] as number) * (strides[batch + j] as number);
    for (let i = 0; i < inner; i++) out[tuple * inner + i] = from + i;
  }
  return out;
}

const gatherNd = defineOp<{ readonly batch_dims: number }>({
  type: "GatherND",
  since: 11,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs, opset) => readAttrs(attrs, { batch_dims: opset >= 12 ? int(0) : () => 0 }),
  infer(inputs, { batch_dims }) {
    requireInteger(required(inputs, 1), 1);
    return [{ type: required(inputs, 0).type, dims: tuplesOf(required(inputs, 0).dims, required(inputs, 1).dims, batch_dims).dims }];
  },
  float(inputs, { batch_dims }, precision) {
    const [data, indices] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    const { dims } = tuplesOf(data.dims, indices.dims, batch_dims);
    return [pick(data, tupleOffsets(data.dims, indices, batch_dims), zerosLike(data, dims, precision))];
  },
  error(inputs, errors, outputs, { batch_dims }) {
    const [data, indices] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    return [moveBounds(inputs, errors, tupleOffsets(data.dims, indices, batch_dims), numbersAt(outputs, 0))];
  },
  traits: { passesEncoding: true },
});

const REDUCTIONS = {
  none: (_a: number, b: number) => b,
  add: (a: number, b: number, round: Round) => round(a + b),
  mul: (a: number, b: number, round: Round) => round(a * b),
  max: (a: number, b: number) => Math.max(a, b),
  min: (a: number, b: number) => Math.min(a, b),
} as const;

type Reduction = keyof typeof REDUCTIONS;

interface ScatterAttrs {
  readonly axis: number;
  readonly reduction: Reduction;
}

function scatter(data: Numbers, updates: Numbers, offsets: Int32Array, reduction: Reduction, precision: Precision): Numbers {
  const out = zerosLike(data, data.dims, precision);
  out.data.set(data.data);
  const round = roundOf(data, precision);
  for (let i = 0; i < offsets.length; i++) {
    const at = offsets[i] as number;
    out.data[at] = REDUCTIONS[reduction](out.data[at] as number, updates.data[i] as number, round);
  }
  return out;
}

function scatterBound(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  offsets: Int32Array,
  reduction: Reduction,
  unit: number,
): Numbers {
  const [data, updates] = [numbersAt(inputs, 0), numbersAt(inputs, 2)];
  const value = Float64Array.from(data.data);
  const bound = Float64Array.from(data.data, (_, i) => boundAt(errors[0], i));
  for (let i = 0; i < offsets.length; i++) {
    const at = offsets[i] as number;
    const [a, ea, b, eb] = [value[at] as number, bound[at] as number, updates.data[i] as number, boundAt(errors[2], i)];
    const y = REDUCTIONS[reduction](a, b, (x) => x);
    if (reduction === "none") bound[at] = eb;
    else if (reduction === "add") bound[at] = rounded(y, ea + eb, unit);
    else if (reduction === "mul") bound[at] = rounded(y, productSpread(a, ea, b, eb), unit);
    else bound[at] = Math.max(ea, eb);
    value[at] = y;
  }
  return integers(data.dims, bound);
}

function reductionAttr(opset: number) {
  return opset >= 18 ? oneOf<Reduction>("none", "add", "mul", "max", "min") : oneOf<Reduction>("none", "add", "mul");
}

type OffsetsOf = (data: Numbers, indices: Numbers, attrs: ScatterAttrs) => Int32Array;

function defineScatter(
  type: string,
  since: number,
  schema: OpDef<ScatterAttrs>["parse"],
  offsetsFor: OffsetsOf,
  check: (inputs: readonly (TypeInfo | null)[], attrs: ScatterAttrs) => void,
): OpDef {
  return erased(
    defineOp<ScatterAttrs>({
      type,
      since,
      arity: { inputs: [3, 3], outputs: [1, 1] },
      parse: schema,
      infer(inputs, attrs) {
        const data = required(inputs, 0);
        requireSameTypes([data, required(inputs, 2)]);
        requireInteger(required(inputs, 1), 1);
        check(inputs, attrs);
        return [{ type: data.type, dims: data.dims }];
      },
      float(inputs, attrs, precision) {
        const [data, indices, updates] = [numbersAt(inputs, 0), numbersAt(inputs, 1), numbersAt(inputs, 2)];
        return [scatter(data, updates, offsetsFor(data, indices, attrs), attrs.reduction, precision)];
      },
      error: (inputs, errors, _outputs, attrs, unit) => [
        scatterBound(inputs, errors, offsetsFor(numbersAt(inputs, 0), numbersAt(inputs, 1), attrs), attrs.reduction, unit),
      ],
      traits: {
        movement: (inputs, _outputs, attrs) =>
          attrs.reduction === "none" ? scatterMovement(inputs, (data, indices) => offsetsFor(data, indices, attrs)) : undefined,
      },
    }),
  );
}

/** Scatter is what opsets 9 and 10 call ScatterElements. */
const [scatterElements, oldScatter] = (["ScatterElements", "Scatter"] as const).map((type) =>
  defineScatter(
    type,
    type === "Scatter" ? 9 : 11,
    (attrs, opset) => readAttrs(attrs, { axis: int(0), reduction: opset >= 16 ? reductionAttr(opset) : () => "none" as const }),
    (data, indices, { axis }) => elementOffsets(data.dims, indices, resolveAxis(axis, data.dims.length)),
    (inputs, { axis }) => {
      checkElements(inputs, axis);
      const [indices, updates] = [required(inputs, 1), required(inputs, 2)];
      if (updates.dims.join() !== indices.dims.join())
        throw shapeError(`the updates have shape ${formatShape(updates.dims)}, expected ${formatShape(indices.dims)}`);
    },
  ),
) as [OpDef, OpDef];

const scatterNd = defineScatter(
  "ScatterND",
  11,
  (attrs, opset) => ({ axis: 0, ...readAttrs(attrs, { reduction: opset >= 16 ? reductionAttr(opset) : () => "none" as const }) }),
  (data, indices) => tupleOffsets(data.dims, indices, 0),
  (inputs) => {
    const { dims } = tuplesOf(required(inputs, 0).dims, required(inputs, 1).dims, 0);
    const updates = required(inputs, 2).dims;
    if (updates.join() !== dims.join()) throw shapeError(`the updates have shape ${formatShape(updates)}, expected ${formatShape(dims)}`);
  },
);

export const GATHERS: readonly OpDef[] = [gather, erased(gatherElements), erased(gatherNd), scatterElements, oldScatter, scatterNd];
