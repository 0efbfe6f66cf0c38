/** Elementwise operators over any number of tensors. */
import type { Attrs } from "../graph/graph.ts";
import type { Round } from "./arrays.ts";
import { broadcastAll, numbersAt, required, requireFloat, requireSameTypes } from "./checks.ts";
import { presentInputs } from "./checksOther.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type Traits } from "./op.ts";

/** y = f(f(x0, x1), x2)… over any number of tensors (Sum, Min, Max, Mean). */
export interface FoldSpec {
  readonly type: string;
  readonly accepts?: "float" | "any";
  readonly scalar: (a: number, b: number, round: Round) => number;
  /** Applied once at the end, with the number of inputs. */
  readonly finish?: (x: number, count: number, round: Round) => number;
  /** Bound of one fold step. */
  readonly bound: (a: number, ea: number, b: number, eb: number, unit: number) => number;
  readonly finishBound?: (y: number, e: number, count: number, unit: number) => number;
  readonly traits?: Traits<object>;
}

/** The variadic operator `spec` describes. */
export function defineFold(spec: FoldSpec, parse: (attrs: Attrs) => object): OpDef<object> {
  return defineOp<object>({
    type: spec.type,
    since: 8,
    arity: { inputs: [1, Infinity], outputs: [1, 1] },
    parse,
    infer(inputs) {
      const all = presentInputs(inputs);
      if (spec.accepts === "float") for (const [i, info] of all.entries()) requireFloat(info, i);
      requireSameTypes(all);
      return [{ type: required(inputs, 0).type, dims: broadcastAll(all) }];
    },
    float: (inputs, _attrs, precision) => [floats().foldFloat(spec, inputs, precision)],
    error: (inputs, errors, outputs, _attrs, unit) => [floats().foldError(spec, inputs, errors, numbersAt(outputs, 0).dims, unit)],
    traits: { elementwise: true, ...spec.traits },
  });
}
