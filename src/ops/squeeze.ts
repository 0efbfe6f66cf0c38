/** Operators that keep the row-major order of elements and are rare in convolutional networks: Squeeze, Unsqueeze, Dropout. */

import { formatShape } from "../tensor/shape.ts";
import { integers } from "./arrays.ts";
import { flag, optionalInts, readAttrs, withoutAttrs } from "./attributes.ts";
import { optionalFloat, optionalInt } from "./attributesOther.ts";
import { constantInts, required, resolveAxes, shapeError } from "./checks.ts";
import { defineMovement } from "./movement.ts";
import type { OpDef } from "./op.ts";
import { alias, type Infos } from "./reshape.ts";

/** Axes of Squeeze and Unsqueeze: an attribute below opset 13, an input since. */
function parseAxes(attrs: Parameters<typeof readAttrs>[0], opset: number): { readonly axes: readonly number[] | undefined } {
  return opset >= 13 ? withoutAttrs(attrs, { axes: undefined }) : readAttrs(attrs, { axes: optionalInts() });
}

function axesOf(inputs: Infos, axes: readonly number[] | undefined): readonly number[] | undefined {
  return inputs[1] ? constantInts(inputs[1], 1) : axes;
}

export const squeeze = defineMovement({
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

export const unsqueeze = defineMovement({
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

/** Inference: the identity, and a mask of ones as the second output. */
export const dropout: OpDef = {
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

export const SQUEEZES: readonly OpDef[] = [squeeze, unsqueeze, dropout];
