/** Softmax of 8-bit codes in target ort: ONNX Runtime's table of exponentials, float32 sums and quotients. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { type Graph, shapeOf, type ValueId } from "../graph/graph.ts";
import { exp, log } from "../numerics/elementary.ts";
import { roundHalfEven } from "../numerics/round.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import { clampCode, type Levels, levelsOf } from "./codes.ts";
import type { Codes, Layer } from "./form.ts";
import { activationEncoding, isPlainCluster, resolve } from "./operands.ts";

const f32 = Math.fround;
const ENTRIES = 256;
const LARGEST = f32(3.4028234663852886e38);

export interface SoftmaxData {
  readonly node: string;
  readonly input: ValueId;
  readonly output: ValueId;
  readonly from: Encoding;
  readonly levels: Levels;
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** A layer that is one normalization of exponentials between grids of at most 8 bit. */
export function matchSoftmax(layer: Layer, graph: Graph): SoftmaxData | null {
  const [node] = layer.nodes;
  if (!node || layer.nodes.length !== 1 || !isPlainCluster(layer, graph)) return null;
  const resolved = resolve(node, graph);
  const lines = resolved?.def.traits.exponentialShares?.(shapeOf(graph, node.inputs[0]!), resolved.attrs);
  const from = activationEncoding(graph, node.inputs[0]!);
  const to = activationEncoding(graph, node.outputs[0]!);
  if (!lines || !from || !to || gridOf(from.type).bits > 8 || gridOf(to.type).bits > 8 || lines.size === 0) return null;
  return { node: node.id, input: node.inputs[0]!, output: node.outputs[0]!, from, levels: levelsOf(to), ...lines };
}

/** Entry i: f32(exp((i − 255)·sx + room)), room = max(0, log(f32(largest float32 / size)) − 5): what `size` of them still sum to. */
function tableOf({ from, size }: SoftmaxData): Float32Array {
  const scale = levelsOf(from).scale;
  const steps = Math.max(0, log(f32(LARGEST / size)) - 5) / scale;
  return Float32Array.from({ length: ENTRIES }, (_, i) => exp((i - (ENTRIES - 1) + steps) * scale));
}

/** ⌊f32(1/sy)⌋, as ONNX Runtime multiplies. */
function factorOf({ levels }: SoftmaxData): number {
  return Math.floor(f32(1 / levels.scale));
}

/** clamp(RNE(f32(f32(e·factor)/Σe)) + zy), e from the table by the distance to the line's largest code. */
export function referenceSoftmax(data: SoftmaxData, graph: Graph, inputs: Codes): Numbers {
  const { outer, size, inner, levels } = data;
  const codes = inputs.get(data.input)!.data;
  const table = tableOf(data);
  const factor = factorOf(data);
  const out = new Float64Array(codes.length);
  for (let line = 0; line < outer * inner; line++) {
    const first = Math.floor(line / inner) * size * inner + (line % inner);
    const at = Array.from({ length: size }, (_, i) => first + i * inner);
    const largest = at.reduce((most, i) => Math.max(most, codes[i]!), Number.NEGATIVE_INFINITY);
    const shares = at.map((i) => table[ENTRIES - 1 - largest + codes[i]!]!);
    const sum = shares.reduce((total, share) => f32(total + share), 0);
    at.forEach((i, k) => {
      out[i] = clampCode(roundHalfEven(f32(f32(shares[k]! * factor) / sum)) + levels.zeroPoint, levels);
    });
  }
  return { dims: shapeOf(graph, data.output), data: out };
}

export function lowerSoftmax(data: SoftmaxData, ctx: Lowering): void {
  const { levels } = data;
  const shift = ctx.storage(activationEncoding(ctx.graph, data.output)!).shift;
  const fields = {
    input: ctx.input(data.input, "rowMajor"),
    output: ctx.output(data.output, "rowMajor"),
    size: data.size,
    inner: data.inner,
    table: ctx.constant(tableOf(data)),
    factor: ctx.constant(Float64Array.of(factorOf(data))),
    zero: levels.zeroPoint + shift,
    min: levels.qmin + shift,
    max: levels.qmax + shift,
  };
  ctx.emit("softmax_single", fields, data.outer, data.node);
}

/** D in LSB of a share t: the floor of 1/sy leaves out less than one of its 1/sy steps; the table rounds exponents of up to 88 (2^-52 each,
 *  and their exponentials to float32), the sum once per element, product and quotient once each. */
export function softmaxDeviation({ levels, size }: SoftmaxData): (steps: number) => number {
  const floor = 1 / levels.scale - Math.floor(f32(1 / levels.scale));
  const relative = Math.max(0, floor) * levels.scale + (size + 8) * 2 ** -23;
  return (steps) => Math.abs(steps) * relative;
}
