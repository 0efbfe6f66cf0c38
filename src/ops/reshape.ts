/** Operators that keep the row-major order of elements: Reshape, Flatten, Identity. */
import { sizeOf } from "../tensor/shape.ts";
import { flag, int, noAttrs, readAttrs, withoutAttrs } from "./attributes.ts";
import { constantInts, required } from "./checks.ts";
import { floats } from "./deferred.ts";
import { aliasOf, defineMovement } from "./movement.ts";
import type { OpDef, TypeInfo } from "./op.ts";

export type Infos = readonly (TypeInfo | null)[];

export const alias = (inputs: Infos) => [aliasOf(required(inputs, 0).dims)];

/** The shape `wanted` names for `dims`: 0 copies (unless allowZero), −1 is what is left. */
function reshaped(dims: readonly number[], wanted: readonly number[], allowZero: boolean): number[] {
  const size = sizeOf(dims);
  const out = wanted.map((extent, i) => {
    if (extent !== 0 || allowZero) return extent;
    const copied = dims[i];
    if (copied === undefined) throw floats().copiedAxisFlaw(wanted, i, dims);
    return copied;
  });
  const open = out.filter((extent) => extent === -1).length;
  if (open > 1 || out.some((extent) => extent < -1)) throw floats().openAxesFlaw(wanted);
  if (open === 1) {
    const known = out.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
    if (known === 0 || size % known !== 0) throw floats().multipleFlaw(dims, size, wanted);
    out[out.indexOf(-1)] = size / known;
  }
  if (sizeOf(out) !== size) throw floats().elementsFlaw(dims, size, sizeOf(out), wanted);
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
    if (at < 0 || at > dims.length) throw floats().flattenFlaw(axis, dims.length);
    return [[sizeOf(dims.slice(0, at)), sizeOf(dims.slice(at))]];
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

export const RESHAPES: readonly OpDef[] = [reshape, flatten, identity];
