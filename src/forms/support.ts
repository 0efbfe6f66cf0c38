/** What the code does with each operator: the one source of docs/operators.md and of what inspect says. */
import type { OpDef } from "../ops/op.ts";
import { FLOAT_RULES } from "./float/rules.ts";

/** How an operator computes where the values around it carry encodings. "encoding": it is read away when the model is loaded. */
export type IntegerForm = "encoding" | "expansion" | "movement" | "gather" | "dot" | "linear" | "mean" | "extreme" | "table" | "program";

export interface OperatorSupport {
  readonly type: string;
  readonly domain: string;
  readonly since: number; // first opset read as it is
  /** Forms that may compute a layer of this operator alone, the first one preferred; none: its values leave integers there. */
  readonly integer: readonly IntegerForm[];
  /** Whether a session has kernels for it in float islands; else only the simulation and constant folding compute it. */
  readonly float: boolean;
}

/** What each form does, and the grids its kernels take. */
export const FORM_WIDTHS: Readonly<Record<IntegerForm, string>> = {
  encoding: "2 to 16; read away when the model is loaded",
  expansion: "those of the operators it is read as when the model is loaded: its definition, or the nodes of its bodies",
  movement: "2 to 16; codes are copied",
  gather: "2 to 16; codes are copied by computed indices",
  dot: "activations 2 to 16, weights 2 to 16, per tensor, channel and block; exact accumulators, one rounding",
  linear: "2 to 16; exact sums and products, one rounding",
  mean: "2 to 16; exact sums, one rounding",
  extreme: "2 to 16; codes are compared",
  table: "2 to 16; one lookup per element, operands beside it are constant scalars",
  program: "2 to 16; one double expression, one rounding",
};

/** Operators declare what they are; the order is that in which forms are asked. */
export function supportOf(op: OpDef): OperatorSupport {
  const { traits, type, domain = "", since = 1 } = op;
  const { expand, inline, movement, gather, dot, mean, sum, extreme } = traits;
  const structural = [expand, inline, movement, gather, dot, mean, sum, extreme].some(Boolean);
  const float = structural || Object.hasOwn(FLOAT_RULES, type);
  return { type, domain, since, integer: integerForms(op, float), float };
}

function integerForms({ traits }: OpDef, float: boolean): IntegerForm[] {
  if (traits.boundary) return ["encoding"];
  if (traits.expand || traits.inline) return ["expansion"];
  const declared: readonly (readonly [IntegerForm, unknown])[] = [
    ["gather", traits.gather],
    ["movement", traits.movement],
    ["dot", traits.dot],
    ["linear", traits.linear],
    ["mean", traits.mean ?? traits.sum],
    ["extreme", traits.extreme],
    ["table", traits.elementwise],
    ["program", float],
  ];
  return declared.flatMap(([form, declares]) => (declares ? [form] : []));
}
