/** The linear form with its integers in TypeScript and its judge. */

import { type Graph, shapeOf } from "../graph/graph.ts";
import { divideExact } from "../numerics/decide.ts";
import { fixedAdd, fixedMul } from "../numerics/fixedPoint.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";
import { sizeOf } from "../tensor/shape.ts";
import { broadcastIndex } from "./broadcastWalk.ts";
import { clampCode } from "./codes.ts";
import { type Codes, defineForm } from "./form.ts";
import { type DeviationOf, judgeNodes } from "./judge.ts";
import { withinLimits } from "./limits.ts";
import { type LinearData, type LinearOperand, linearCore } from "./linear.ts";
import { bitsOf, fixedForm } from "./linearFixed.ts";
import { placeLinear } from "./linearLower.ts";
import { constantNumbers } from "./operands.ts";
import { referenceSingle, singleDeviation, singleForm, singleReals } from "./single.ts";

export const linearForm = defineForm<LinearData>({
  ...linearCore,
  reference: (data, _layer, graph, inputs, target) => [
    targetRow(target).single
      ? referenceSingle(data, graph, (operand) => offsets(operand, graph, inputs))
      : reference(data, graph, inputs, target),
  ],
  lower: (data, layer, ctx) => (targetRow(ctx.target).single ? lowerSingle(data, ctx) : linearCore.lower(data, layer, ctx)),
  judge: (data, layer, graph, inputs, source, target) => judgeNodes(layer, graph, inputs, source, deviation(data, graph, inputs, target)),
});

/** q − zeroPoint of an operand, or its elements; row-major. */
export function offsets(operand: LinearOperand, graph: Graph, inputs: Codes): ArrayLike<number> {
  const given = inputs.get(operand.id);
  if (given) return Float64Array.from(given.data, (q) => q - operand.zeroPoint);
  const { data } = constantNumbers(graph, operand.id, "f64");
  return operand.encoding ? Float64Array.from(data, (x) => Math.round(x / operand.scale)) : data;
}

function lowerSingle(data: LinearData, ctx: Lowering): void {
  withinLimits(data.node, () => {
    const form = singleForm(data, ctx.graph);
    const { fields, storage, units } = placeLinear(form.data, ctx);
    const reals = ctx.constant(singleReals(form));
    ctx.emit("binary_single", { ...fields, op: form.op, outOrigin: storage.shift, reals }, units, data.node);
  });
}

/** RNE of the exact real: add, sub (sa·na ± sb·nb)/sy, mul (sa·na)·(sb·nb)/sy; sa·na has at most 41 bits. */
function exactForm({ op, a, b, levels }: LinearData): (x: number, y: number) => number {
  const sign = op === "sub" ? -1 : 1;
  if (op === "mul") return (x, y) => divideExact([[a.scale * x, b.scale * y]], [levels.scale, 1]);
  return (x, y) =>
    divideExact(
      [
        [a.scale, x],
        [sign * b.scale, y],
      ],
      [levels.scale, 1],
    );
}

function reference(data: LinearData, graph: Graph, inputs: Codes, target: Target): Numbers {
  const dims = shapeOf(graph, data.output);
  const a = offsets(data.a, graph, inputs);
  const b = offsets(data.b, graph, inputs);
  const atA = broadcastIndex(shapeOf(graph, data.a.id), dims);
  const atB = broadcastIndex(shapeOf(graph, data.b.id), dims);
  const form = fixedForm(data, target) ?? exactForm(data);
  const out = new Float64Array(sizeOf(dims));
  for (let i = 0; i < out.length; i++) out[i] = clampCode(form(a[atA[i]!]!, b[atB[i]!]!) + data.levels.zeroPoint, data.levels);
  return { dims, data: out };
}

function singleDeviations(data: LinearData, graph: Graph, inputs: Codes): DeviationOf {
  const form = singleForm(data, graph);
  const { a, b } = form.data;
  const dims = shapeOf(graph, data.output);
  const [x, y] = [offsets(a, graph, inputs), offsets(b, graph, inputs)];
  const [atX, atY] = [broadcastIndex(shapeOf(graph, a.id), dims), broadcastIndex(shapeOf(graph, b.id), dims)];
  return (_output, exact) => exact.map((_, i) => singleDeviation(form, x[atX[i]!]!, y[atY[i]!]!));
}

/** D of the fixed targets, in LSB. Mul: the multiplier's rounding, 2^-31 of |t − zp|, and for double rounding half a unit of the high
 *  multiply, 2^-(r − 32). Add: both operands in units of 2·max(sa, sb)/2^left, each with the multiplier's 2^-31 and one or two
 *  roundings of ½ (in all at most 1 each), brought to LSB by the last multiplier, which adds what Mul's does. */
function deviation(data: LinearData, graph: Graph, inputs: Codes, target: Target): DeviationOf {
  const { single } = targetRow(target);
  if (!single && !fixedForm(data, target)) return () => null;
  if (single) return singleDeviations(data, graph, inputs);
  const { a, b, op, levels } = data;
  const double = targetRow(target).epilogue === "fixedDouble";
  const last = op === "mul" ? fixedMul(a.scale, b.scale, levels.scale) : fixedAdd(a.scale, b.scale, levels.scale, bitsOf(data)).out;
  const second = double && last.r > 31 ? 2 ** (31 - last.r) / 2 : 0;
  const factor = last.multiplier * 2 ** -last.r;
  const x = offsets(a, graph, inputs);
  const y = offsets(b, graph, inputs);
  const dims = shapeOf(graph, data.output);
  const atA = broadcastIndex(shapeOf(graph, a.id), dims);
  const atB = broadcastIndex(shapeOf(graph, b.id), dims);
  return () => {
    const out = new Float64Array(sizeOf(dims));
    for (let i = 0; i < out.length; i++) {
      const left = (a.scale * Math.abs(x[atA[i]!]!)) / levels.scale;
      const right = (b.scale * Math.abs(y[atB[i]!]!)) / levels.scale;
      const terms = op === "mul" ? left * right * levels.scale : left + right;
      out[i] = op === "mul" ? terms * 2 ** -30 + second : terms * 2 ** -29 + 2 * factor + second;
    }
    return out;
  };
}
