/** Operators that keep the row-major order of elements: Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout. */
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { integers } from "./arrays.ts";
import { flag, int, noAttrs, optionalFloat, optionalInt, optionalInts, readAttrs, withoutAttrs } from "./attributes.ts";
import { constantInts, required, resolveAxes, shapeError } from "./checks.ts";
import { aliasOf, defineMovement } from "./movement.ts";
import type { OpDef, TypeInfo } from "./op.ts";

type Infos = readonly (TypeInfo | null)[];

const alias = (inputs: Infos) => [aliasOf(required(inputs, 0).dims)];

/** The shape `wanted` names for `dims`: 0 copies (unless allowZero), −1 is what is left. */
function reshaped(dims: readonly number[], wanted: readonly number[], allowZero: boolean): number[] {
  const size = sizeOf(dims);
  const out = wanted.map((extent, i) => {
    if (extent !== 0 || allowZero) return extent;
    const copied = dims[i];
    if (copied === undefined)
      throw shapeError(`the shape ${formatShape(wanted)} copies axis ${i}, which ${formatShape(dims)} does not have`);
    return copied;
  });
  const open = out.filter((extent) => extent === -1).length;
  if (open > 1 || out.some((extent) => extent < -1))
    throw shapeError(`the shape ${formatShape(wanted)} has more than one -1 or a negative extent`);
  if (open === 1) {
    const known = out.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
    if (known === 0 || size % known !== 0)
      throw shapeError(`${formatShape(dims)} has ${size} elements, not a multiple of those in ${formatShape(wanted)}`);
    out[out.indexOf(-1)] = size / known;
  }
  if (sizeOf(out) !== size)
    throw shapeError(`${formatShape(dims)} has ${size} elements, expected ${sizeOf(out)} for ${formatShape(wanted)}`);
  return out;
}

const reshape = defineMovement({
  type: "Reshape",
  since: 5,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  integers: [1],
  parse: (attrs, opset) => (opset >= 14 ? readAttrs(attrs, { allowzero: flag(false) }) : withoutAttrs(attrs, { allowzero: false })),
  shapes: (inputs, { allowzero }) => [reshaped(required(inputs, 0).dims, constantInts(required(inputs, 1), 1), allowzero)],
  movement: alias,
});

const flatten = defineMovement({
  type: "Flatten",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { axis: int(1) }),
  shapes(inputs, { axis }) {
    const { dims } = required(inputs, 0);
    const at = axis < 0 ? axis + dims.length : axis;
    if (at < 0 || at > dims.length) throw shapeError(`axis ${axis} is out of range for rank ${dims.length}`);
    return [[sizeOf(dims.slice(0, at)), sizeOf(dims.slice(at))]];
  },
  movement: alias,
});

/** Axes of Squeeze and Unsqueeze: an attribute below opset 13, an input since. */
function parseAxes(attrs: Parameters<typeof readAttrs>[0], opset: number): { readonly axes: readonly number[] | undefined } {
  return opset >= 13 ? withoutAttrs(attrs, { axes: undefined }) : readAttrs(attrs, { axes: optionalInts() });
}

function axesOf(inputs: Infos, axes: readonly number[] | undefined): readonly number[] | undefined {
  return inputs[1] ? constantInts(inputs[1], 1) : axes;
}

const squeeze = defineMovement({
  type: "Squeeze",
  arity: { inputs: [1, 2], outputs: [1, 1] },
  integers: [1],
  parse: parseAxes,
  shapes(inputs, attrs) {
    const { dims } = required(inputs, 0);
    const named = axesOf(inputs, attrs.axes);
    if (!named) return [dims.filter((dim) => dim !== 1)];
    const axes = resolveAxes(named, dims.length);
    for (const axis of axes)
      if (dims[axis] !== 1) throw shapeError(`axis ${axis} of ${formatShape(dims)} has extent ${dims[axis]}, expected 1`);
    return [dims.filter((_, i) => !axes.includes(i))];
  },
  movement: alias,
});

const unsqueeze = defineMovement({
  type: "Unsqueeze",
  arity: { inputs: [1, 2], outputs: [1, 1] },
  integers: [1],
  parse: parseAxes,
  shapes(inputs, attrs) {
    const { dims } = required(inputs, 0);
    const named = axesOf(inputs, attrs.axes);
    if (!named) throw shapeError("the axes are missing");
    const rank = dims.length + named.length;
    const axes = resolveAxes(named, rank);
    let next = 0;
    return [Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (dims[next++] as number)))];
  },
  movement: alias,
});

const identity = defineMovement({
  type: "Identity",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: noAttrs,
  shapes: (inputs) => [[...required(inputs, 0).dims]],
  movement: alias,
});

/** Inference: the identity, and a mask of ones as the second output. */
const dropout: OpDef = {
  ...defineMovement({
    type: "Dropout",
    arity: { inputs: [1, 3], outputs: [1, 2] },
    parse: (attrs, opset) =>
      opset >= 12 ? readAttrs(attrs, { seed: optionalInt() }) : readAttrs(attrs, { ratio: optionalFloat(), is_test: flag(false) }),
    shapes: (inputs) => [[...required(inputs, 0).dims]],
    movement: (inputs, outputs) => [...alias(inputs), ...outputs.slice(1).map(() => ({ regions: [], fill: 1 }))],
  }),
  infer(inputs) {
    const { type, dims } = required(inputs, 0);
    if (inputs[2] && inputs[2].constant?.[0] !== 0) throw shapeError("input 2 asks for training mode, expected inference");
    return [
      { type, dims },
      { type: "bool", dims },
    ];
  },
  float: ([x]) => (x ? [x, integers(x.dims, new Float64Array(x.data.length).fill(1))] : []),
  error: ([x], errors) => (x ? [errors[0] ?? integers(x.dims), integers(x.dims)] : []),
};

export const RESHAPES: readonly OpDef[] = [reshape, flatten, squeeze, unsqueeze, identity, dropout];
