/** Operators that only move elements, from their strided regions: inference, evaluation, errors and traits in one place. */
import type { Attrs } from "../graph/graph.ts";
import { zerosLike } from "./arrays.ts";
import { checkDims, numbersAt, required, requireInteger, requireSameTypes } from "./checks.ts";
import { type Arity, defineOp, type Movement, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { applyMovement } from "./regions.ts";
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
}

/** The operator `spec` describes. */
export function defineMovement<A>(spec: MovementSpec<A>): OpDef {
  const integers = spec.integers ?? [];
  const run = (inputs: readonly (Numbers | null)[], attrs: A, precision: Precision, like: Numbers): Numbers[] => {
    const infos = inputs.map((x) => x && infoOf(x));
    const outputs = spec.shapes(infos, attrs).map((dims) => zerosLike(like, dims, precision));
    const moves = spec.movement(
      infos,
      outputs.map((out) => out.dims),
      attrs,
    );
    if (moves) for (const [i, move] of moves.entries()) applyMovement(move, inputs, outputs[i] as Numbers);
    else spec.direct?.(inputs, outputs, attrs);
    return outputs;
  };
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
      float: (inputs, attrs, precision) => run(inputs, attrs, precision, numbersAt(inputs, 0)),
      error(inputs, errors, _outputs, attrs) {
        const bounds = inputs.map((x, i) => (x === null || integers.includes(i) ? x : (errors[i] ?? zeros(x))));
        return run(bounds, attrs, "f64", bounds[0] as Numbers);
      },
      traits: {
        ...(spec.passesEncoding === false ? {} : { passesEncoding: true }),
        movement: (inputs, outputs, attrs) => spec.movement(inputs, outputs, attrs),
        ...(spec.gather ? { gather: spec.gather } : {}),
      },
    }),
  );
}

function infoOf(x: Numbers): TypeInfo {
  return { type: "float32", dims: x.dims, constant: x.data };
}

function zeros(x: Numbers): Numbers {
  return { dims: x.dims, data: new Float64Array(x.data.length) };
}
