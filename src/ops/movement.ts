/** Operators that only move elements, from their strided regions: inference, evaluation, errors and traits in one place. */

import type { Attrs } from "../graph/graph.ts";
import { sizeOf } from "../tensor/shape.ts";
import { checkDims, numbersAt, required, requireInteger, requireSameTypes } from "./checks.ts";
import { floats } from "./deferred.ts";
import { type Arity, defineOp, type Movement, type Numbers, type OpDef, type Region, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

type Infos = readonly (TypeInfo | null)[];

export interface MovementSpec<A> {
  readonly type: string;
  readonly since?: number;
  readonly arity: Arity;
  readonly parse: (attrs: Attrs, opset: number, outputs?: number) => A;
  /** Inputs that hold shapes, axes or indices: integers that decide where elements go. */
  readonly integers?: readonly number[];
  /** Output shapes. throws ModelError "op/shape", "op/dynamic". */
  readonly shapes: (inputs: Infos, attrs: A) => number[][];
  /** One movement per output; undefined when it depends on computed values or needs too many regions. */
  readonly movement: (inputs: Infos, outputs: readonly (readonly number[])[], attrs: A) => Movement[] | undefined;
  /** The operator without regions, where movement may be undefined. */
  readonly direct?: (inputs: readonly (Numbers | null)[], outputs: readonly Numbers[], attrs: A) => void;
  readonly passesEncoding?: boolean; // default true
  readonly gather?: (attrs: A) => number; // its axis
  readonly fillInput?: number; // the input that holds what fills the rest; left out: zero
}

/** The operator `spec` describes. */
export function defineMovement<A>(spec: MovementSpec<A>): OpDef {
  const integers = spec.integers ?? [];
  return erased(
    defineOp<A>({
      type: spec.type,
      ...(spec.since === undefined ? {} : { since: spec.since }),
      arity: spec.arity,
      parse: spec.parse,
      infer(inputs, attrs) {
        const { type } = required(inputs, 0);
        for (const i of integers) if (inputs[i]) requireInteger(inputs[i], i);
        requireSameTypes(inputs.filter((info, i): info is TypeInfo => info !== null && !integers.includes(i)));
        return spec.shapes(inputs, attrs).map((dims) => ({ type, dims: checkDims(dims) }));
      },
      float: (inputs, attrs, precision) => floats().movementFloat(spec, inputs, attrs, precision, numbersAt(inputs, 0)),
      error: (inputs, errors, _outputs, attrs) => floats().movementError(spec, inputs, errors, attrs),
      traits: {
        ...(spec.passesEncoding === false ? {} : { passesEncoding: true }),
        movement: (inputs, outputs, attrs) => spec.movement(inputs, outputs, attrs),
        ...(spec.gather ? { gather: spec.gather } : {}),
        ...(spec.fillInput ? { fillInput: spec.fillInput } : {}),
      },
    }),
  );
}

/** The whole of input `input`, in the same order. */
export function aliasOf(dims: readonly number[], input = 0): Movement {
  const size = sizeOf(dims);
  const region: Region = { input, inOffset: 0, inStrides: [1], outOffset: 0, outStrides: [1], dims: [size] };
  return { regions: size === 0 ? [] : [region], alias: input };
}
