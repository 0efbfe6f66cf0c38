/** Form of Add, Sub and Mul of two operands with an optional clamp: exact real arithmetic, or a peer's integers. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId, valueNamed } from "../graph/graph.ts";
import { divideExact } from "../numerics/decide.ts";
import { applyFixedAdd, fixedAdd, fixedMul } from "../numerics/fixedPoint.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Numbers } from "../ops/op.ts";
import type { Target } from "../plan/plan.ts";
import { sizeOf } from "../tensor/shape.ts";
import { broadcastIndex } from "./broadcastIndex.ts";
import { clampAfter } from "./clampAfter.ts";
import { clampCode, type Levels, levelsOf } from "./codes.ts";
import { type Codes, defineForm, type Layer } from "./form.ts";
import { type DeviationOf, judgeNodes } from "./judge.ts";
import { withinLimits } from "./limits.ts";
import { lowerLinear } from "./linearLower.ts";
import { activationEncoding, constantNumbers, isPlainCluster, resolve } from "./operands.ts";

/** One side: codes on a grid, or plain float32 elements (scale 1, zero point 0). */
export interface LinearOperand {
  readonly id: ValueId;
  readonly encoding: Encoding | null;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly largest: number; // bound of |q − zeroPoint|, or of |element|
}

export interface LinearData {
  readonly node: string;
  readonly op: "add" | "sub" | "mul";
  readonly a: LinearOperand;
  readonly b: LinearOperand;
  readonly output: ValueId;
  readonly encoding: Encoding;
  readonly levels: Levels; // the output's, narrowed by the clamp
}

export const linearForm = defineForm<LinearData>({
  name: "linear",
  match,
  reference: (data, _layer, graph, inputs, target) => [reference(data, graph, inputs, target)],
  lower: (data, _layer, ctx) => withinLimits(data.node, () => lowerLinear(data, ctx)),
  judge: (data, layer, graph, inputs, source, target) => judgeNodes(layer, graph, inputs, source, deviation(data, graph, inputs, target)),
});

function match(layer: Layer, graph: Graph): LinearData | null {
  const [first, second] = layer.nodes;
  if (!isPlainCluster(layer, graph) || layer.nodes.length > 2 || !first) return null;
  const op = resolve(first, graph)?.def.traits.linear;
  if (!op || first.inputs.length !== 2) return null;
  const output = layer.outputs[0]!;
  const encoding = activationEncoding(graph, output)!;
  const levels = clampAfter(first, second, graph, levelsOf(encoding));
  const a = operandOf(first.inputs[0]!, graph);
  const b = operandOf(first.inputs[1]!, graph);
  if (!levels || !a || !b) return null;
  const reach = op === "mul" ? a.scale * b.scale * a.largest * b.largest : a.scale * a.largest + b.scale * b.largest;
  // Beyond this the kernel's double could not tell ties from their neighbours; such a layer is a program.
  if (!(reach / levels.scale < 2 ** 44)) return null;
  return { node: first.id, op, a, b, output, encoding, levels };
}

function operandOf(id: ValueId, graph: Graph): LinearOperand | null {
  const encoding = activationEncoding(graph, id);
  if (encoding) {
    const { scale, zeroPoint, qmin, qmax } = levelsOf(encoding);
    return { id, encoding, scale, zeroPoint, largest: Math.max(qmax - zeroPoint, zeroPoint - qmin) };
  }
  if (!isConstant(graph, id)) return null;
  const { encoding: other } = valueNamed(graph, id);
  if (other && gridOf(other.type).bits <= 16) return null;
  let largest = 0;
  for (const x of constantNumbers(graph, id, "f64").data) {
    if (!Number.isFinite(x) || Math.fround(x) !== x) return null;
    largest = Math.max(largest, Math.abs(x));
  }
  return { id, encoding: null, scale: 1, zeroPoint: 0, largest };
}

/** q − zeroPoint of an operand, or its elements; row-major. */
function offsets(operand: LinearOperand, graph: Graph, inputs: Codes): ArrayLike<number> {
  const given = inputs.get(operand.id);
  if (given) return Float64Array.from(given.data, (q) => q - operand.zeroPoint);
  const { data } = constantNumbers(graph, operand.id, "f64");
  return operand.encoding ? Float64Array.from(data, (x) => Math.round(x / operand.scale)) : data;
}

/** The integer form of a fixed target, as a function of both (q − zeroPoint), before the output's zero point; null where the target
 *  has none: an operand without a grid, or a product that leaves int32. */
export function fixedForm(data: LinearData, target: Target): ((a: number, b: number) => number) | null {
  const { a, b, op, levels } = data;
  const { requantize } = targetRow(target);
  if (!requantize || !a.encoding || !b.encoding) return null;
  if (op === "mul") {
    if (a.largest * b.largest > 2 ** 31 - 1) return null;
    const { multiplier, r } = fixedMul(a.scale, b.scale, levels.scale);
    return (x, y) => requantize(x * y, multiplier, r);
  }
  const fixed = fixedAdd(a.scale, b.scale, levels.scale, bitsOf(data));
  return (x, y) => applyFixedAdd(fixed, x, y, op === "sub", requantize);
}

/** Width of the widest of the three grids. */
export function bitsOf({ a, b, encoding }: LinearData): number {
  return Math.max(...[a.encoding, b.encoding, encoding].map((grid) => (grid ? gridOf(grid.type).bits : 0)));
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

/** D of the fixed targets, in LSB. Mul: the multiplier's rounding, 2^-31 of |t − zp|, and for double rounding half a unit of the high
 *  multiply, 2^-(r − 32). Add: both operands in units of 2·max(sa, sb)/2^left, each with the multiplier's 2^-31 and one or two
 *  roundings of ½ (in all at most 1 each), brought to LSB by the last multiplier, which adds what Mul's does. */
function deviation(data: LinearData, graph: Graph, inputs: Codes, target: Target): DeviationOf {
  if (!fixedForm(data, target)) return () => null;
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
