/** Elementwise operators of several tensors from scalar functions, with numpy broadcasting. */
import type { Attrs } from "../graph/graph.ts";
import type { ElementType } from "../tensor/dtype.ts";
import type { Round } from "./arrays.ts";
import { broadcastAll, numbersAt, required, requireFloat, requireSameTypes } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type Traits } from "./op.ts";

/** y = f(a, b) with broadcasting. */
export interface BinarySpec<A> {
  readonly type: string;
  readonly since?: number;
  readonly parse: (attrs: Attrs, opset: number) => A;
  readonly accepts?: "float" | "any"; // default any
  readonly mixed?: boolean; // operand types may differ (Pow)
  readonly result?: ElementType; // default: the type of the first input
  readonly scalar: (a: number, b: number, attrs: A, round: Round) => number;
  /** The scalar function on integers, when it differs. Results of integer types narrower than 64 bits wrap. */
  readonly integer?: (a: number, b: number, attrs: A) => number;
  /** Bound of the result given bounds of the operands; y = f(a, b). */
  readonly bound?: (a: number, ea: number, b: number, eb: number, y: number, unit: number) => number;
  readonly traits?: Traits<A>;
}

/** The operator `spec` describes. */
export function defineBinary<A>(spec: BinarySpec<A>): OpDef<A> {
  const { bound } = spec;
  return defineOp<A>({
    type: spec.type,
    ...(spec.since === undefined ? {} : { since: spec.since }),
    arity: { inputs: [2, 2], outputs: [1, 1] },
    parse: spec.parse,
    infer(inputs) {
      const both = [required(inputs, 0), required(inputs, 1)];
      if (spec.accepts === "float") for (const [i, info] of both.entries()) requireFloat(info, i);
      if (!spec.mixed) requireSameTypes(both);
      return [{ type: spec.result ?? (both[0] as { type: ElementType }).type, dims: broadcastAll(both) }];
    },
    float: (inputs, attrs, precision, types) => [floats().binaryFloat(spec, inputs, attrs, precision, types)],
    ...(bound
      ? {
          error: (inputs, errors, outputs, _attrs, unit) => [floats().pairBounds(inputs, errors, numbersAt(outputs, 0), unit, bound)],
        }
      : {}),
    traits: { elementwise: true, ...spec.traits },
  });
}
