/** Add, Sub and Mul of target ort: which of ONNX Runtime's float32 forms a layer takes, its codes, constants of its kernel, its deviation. */
import { gridOf } from "../encodings/encoding.ts";
import { type Graph, shapeOf } from "../graph/graph.ts";
import { SINGLE } from "../kernels/elementwise.ts";
import { addSingle, codeSingle, mulSingle, singleProduct, singleSum } from "../numerics/single.ts";
import type { Numbers } from "../ops/op.ts";
import { sizeOf } from "../tensor/shape.ts";
import { broadcastIndex } from "./broadcastWalk.ts";
import { clampCode } from "./codes.ts";
import type { LinearData, LinearOperand } from "./linear.ts";

const f32 = Math.fround;

/** The layer with its operands in the order that the arithmetic takes them. */
export interface SingleForm {
  readonly data: LinearData;
  readonly op: (typeof SINGLE)[keyof typeof SINGLE];
}

/** QLinearAdd and QLinearMul where all three grids have at most 8 bit; elsewhere the operator on dequantized float32. In a sum, an operand that
 *  is repeated along the innermost axis comes second, as ONNX Runtime's broadcasting has it. */
export function singleForm(data: LinearData, graph: Graph): SingleForm {
  const { a, b, op, encoding } = data;
  const bytes = [a.encoding, b.encoding, encoding].every((grid) => grid && gridOf(grid.type).bits <= 8);
  if (!bytes || op === "sub") return { data, op: SINGLE[op] };
  if (op === "mul") return { data, op: SINGLE.product };
  const swaps = repeats(data, a, graph) && !repeats(data, b, graph);
  return { data: swaps ? { ...data, a: b, b: a } : data, op: SINGLE.sum };
}

/** Whether the operand has one element along the innermost axis of the output that has several. */
function repeats(data: LinearData, { id }: LinearOperand, graph: Graph): boolean {
  const dims = shapeOf(graph, data.output);
  const own = shapeOf(graph, id);
  const axis = dims.findLastIndex((dim) => dim > 1);
  return axis >= 0 && (own[axis - dims.length + own.length] ?? 1) === 1;
}

/** From both (q − zeroPoint), or elements, to the code, not clamped. */
export function singleCode({ data, op }: SingleForm): (x: number, y: number) => number {
  const { a, b, levels } = data;
  if (op === SINGLE.sum) {
    const constants = singleSum(a, b, levels);
    return (x, y) => addSingle(constants, x + a.zeroPoint, y + b.zeroPoint);
  }
  if (op === SINGLE.product) {
    const factor = singleProduct(a, b, levels);
    return (x, y) => mulSingle(factor, levels.zeroPoint, x, y);
  }
  const of = (x: number, y: number): number => (op === SINGLE.add ? x + y : op === SINGLE.sub ? x - y : x * y);
  return (x, y) => codeSingle(f32(of(f32(a.scale * x), f32(b.scale * y))), levels);
}

/** Codes of the layer. `offsets`: (q − zeroPoint) or elements of an operand. */
export function referenceSingle(data: LinearData, graph: Graph, offsets: (operand: LinearOperand) => ArrayLike<number>): Numbers {
  const form = singleForm(data, graph);
  const dims = shapeOf(graph, data.output);
  const [x, y] = [offsets(form.data.a), offsets(form.data.b)];
  const atX = broadcastIndex(shapeOf(graph, form.data.a.id), dims);
  const atY = broadcastIndex(shapeOf(graph, form.data.b.id), dims);
  const code = singleCode(form);
  const out = new Float64Array(sizeOf(dims));
  for (let i = 0; i < out.length; i++) out[i] = clampCode(code(x[atX[i]!]!, y[atY[i]!]!), data.levels);
  return { dims, data: out };
}

/** Constants of binary_single. Sum: eight roundings of values below `reach`, 2^-24 each at most, allowed twice; product: one, of
 *  |v| + 255 with |v| ≤ 512 (beyond, both sides saturate). Vectors round |v| < 2^16 only. */
export function singleReals({ data, op }: SingleForm): Float64Array {
  const { a, b, levels } = data;
  const zeros = [a.zeroPoint, b.zeroPoint] as const;
  if (op === SINGLE.sum) {
    const { first, second, fixed } = singleSum(a, b, levels);
    const reach = sumReach(data);
    return Float64Array.of(first, second, fixed, ...zeros, levels.scale, reach < 2 ** 16 ? reach * 2 ** -20 : 1);
  }
  if (op === SINGLE.product) {
    const factor = singleProduct(a, b, levels);
    return Float64Array.of(factor, 0, 0, ...zeros, levels.scale, factor < 1 ? 2 ** -13 : 1);
  }
  return Float64Array.of(f32(a.scale), f32(b.scale), 0, ...zeros, levels.scale, 1);
}

/** Bound of all intermediate values of a sum: codes up to 255 times each ratio, zero points alike. */
function sumReach({ a, b, levels }: LinearData): number {
  return 512 * (a.scale / levels.scale + b.scale / levels.scale + 1);
}

/** D in LSB: 2^-24 of the intermediate values for each rounding. Sum: those of singleReals; product: four (two in the factor), and the zero
 *  point's; reals: dequantizing both, the operator, the quotient. `x`, `y`: (q − zeroPoint) or elements. */
export function singleDeviation({ data, op }: SingleForm, x: number, y: number): number {
  const { a, b, levels } = data;
  if (op === SINGLE.sum) return sumReach(data) * 2 ** -21;
  const left = (a.scale * Math.abs(x)) / levels.scale;
  const right = (b.scale * Math.abs(y)) / levels.scale;
  const terms = data.op === "mul" ? left * right * levels.scale : left + right;
  return terms * 2 ** -21 + (op === SINGLE.product ? (Math.abs(levels.zeroPoint) + 1) * 2 ** -23 : 0);
}
