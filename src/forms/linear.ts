/** Form of Add, Sub and Mul of two operands with an optional clamp: exact real arithmetic, or a peer's integers. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { type Graph, isConstant, type ValueId, valueNamed } from "../graph/graph.ts";
import { clampAfter } from "./clampAfter.ts";
import { type Levels, levelsOf } from "./codes.ts";
import type { CoreForm, Layer } from "./form.ts";
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

/** Without its reference and its judge, which are in linearForm.ts. */
export const linearCore: CoreForm<LinearData> = {
  name: "linear",
  match,
  lower: (data, _layer, ctx) => withinLimits(data.node, () => lowerLinear(data, ctx)),
};

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
