/** Recognises dot-product layers: one dot product, optionally a constant addend per channel, optionally one clamp or slope. */
import { type Encoding, gridOf, isPerTensor } from "../../encodings/encoding.ts";
import { type Graph, isConstant, type Node, shapeOf, type ValueId, valueNamed } from "../../graph/graph.ts";
import { constantFloats, isFloat32Constant } from "../../graph/query.ts";
import { attrsOf, opOf } from "../../ops/index.ts";
import type { OpDef, TypeInfo } from "../../ops/op.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { Layer } from "../form.ts";
import { biasTerm, encodedReals } from "./bias.ts";
import { fitsKernels } from "./channel.ts";
import type { DotActivation, DotData } from "./data.ts";
import { extentOf, weightMatrices } from "./geometry.ts";
import { scaleView } from "./operands.ts";

/** The dot product of a whole layer, or null. The layer's output is encoded per tensor, and its constants are short enough for exact kernels. */
export function matchDot(layer: Layer, graph: Graph): DotData | null {
  if (layer.island || layer.outputs.length !== 1 || layer.nodes.length > 3) return null;
  const [first, ...rest] = layer.nodes;
  const dot = first && matchDotNode(first, graph);
  if (!dot) return null;
  let data: DotData = dot;
  for (const node of rest) {
    const next = data.activation ? null : (withAddend(data, node, graph) ?? withActivation(data, node, graph));
    if (!next) return null;
    data = next;
  }
  const encoding = valueNamed(graph, data.out).encoding;
  if (layer.outputs[0] !== data.out || !encoding || !isActivationGrid(encoding)) return null;
  return fitsKernels(data, scaleView(data), weightMatrices(data.geometry).first.length) ? { ...data, outEncoding: encoding } : null;
}

/** The dot product of one node whose operands are encoded, its own bias included, without activation; null when it is none.
 *  Its value leaves as real numbers: `outEncoding` is null. */
export function matchDotNode(node: Node, graph: Graph): DotData | null {
  const op = opOf(node);
  const dot = op?.traits.dot;
  const [a, b] = node.inputs;
  if (!op || !dot || a === undefined || b === undefined || node.outputs.length !== 1) return null;
  const aEncoding = valueNamed(graph, a).encoding;
  const bEncoding = valueNamed(graph, b).encoding;
  if (!aEncoding || !bEncoding || !isActivationGrid(aEncoding)) return null;
  if ([a, b].some((id) => isConstant(graph, id) && !isFloat32Constant(valueNamed(graph, id)))) return null;
  const attrs = attrsOf(op, node, graph.opsets.get(node.domain) ?? 1);
  const [aInfo, bInfo] = [infoOf(graph, a), infoOf(graph, b)];
  const out = node.outputs[0]!;
  const outShape = shapeOf(graph, out);
  const geometry = dot.geometry(aInfo, bInfo, outShape, attrs);
  const channels = geometry.kind === "conv" ? geometry.outChannels : geometry.n;
  const scale = dot.scale?.(attrs) ?? { product: 1, bias: 1 };
  if (!Number.isFinite(scale.product) || !Number.isFinite(scale.bias)) return null;
  const data: DotData = {
    node: node.id,
    op: node.op,
    nodes: [node.id],
    a,
    b,
    out,
    aShape: aInfo.dims,
    bShape: bInfo.dims,
    outShape,
    geometry,
    channels,
    aEncoding,
    bEncoding,
    outEncoding: null,
    computed: !isConstant(graph, b),
    alpha: scale.product,
    bias: [],
    activation: null,
  };
  const axes = { channel: dot.channelAxis(bInfo.dims, attrs), block: dot.blockAxis(bInfo.dims, attrs) };
  if (!granularityFits(data, axes)) return null;
  return withOwnBias(data, node, dot.bias, scale.bias, graph);
}

/** Activations: one scale, 2 to 16 bit. */
function isActivationGrid(encoding: Encoding): boolean {
  return isPerTensor(encoding) && !encoding.lpbq && gridOf(encoding.type).bits <= 16;
}

function infoOf(graph: Graph, id: ValueId): TypeInfo {
  return { type: valueNamed(graph, id).type, dims: shapeOf(graph, id) };
}

/** One scale per output channel and block of input channels, blocks inside one group. */
function granularityFits(data: DotData, axes: { channel: number; block: number }): boolean {
  const { axis, blockAxis, blockSize, type } = data.bEncoding;
  if (gridOf(type).bits > 16) return false;
  if (data.computed) return data.geometry.kind === "matmul" && isActivationGrid(data.bEncoding);
  if (axis !== null && axis !== axes.channel) return false;
  if (blockSize === null) return true;
  if (blockAxis !== axes.block) return false;
  const { groups, channelsIn } = extentOf(data.geometry);
  const { geometry } = data;
  return groups === 1 || !(geometry.kind === "conv" && geometry.transposed) || channelsIn % blockSize === 0;
}

/** The axis of the output that channels lie along; null when only scalars can be per channel (matrix times vector). */
function outputChannelAxis(data: DotData): number | null {
  if (data.geometry.kind === "conv") return 1;
  return data.bShape.length >= 2 ? data.outShape.length - 1 : null;
}

function withOwnBias(data: DotData, node: Node, index: number | undefined, factor: number, graph: Graph): DotData | null {
  const id = index === undefined ? "" : (node.inputs[index] ?? "");
  if (id === "" || factor === 0) return data;
  const { data: elements } = valueNamed(graph, id);
  const rank = data.geometry.kind === "conv" ? 1 : data.outShape.length;
  const axis = data.geometry.kind === "conv" ? 0 : outputChannelAxis(data);
  const term = elements && biasTerm(graph, id, rank, axis, data.channels, factor);
  return term ? { ...data, bias: [...data.bias, term] } : null;
}

/** Whether `node` continues the layer: reads its value once, and that value has no encoding of its own. */
function continues(data: DotData, node: Node, graph: Graph): boolean {
  const value = valueNamed(graph, data.out);
  const reads = node.inputs.filter((id) => id === data.out).length;
  return reads === 1 && !value.encoding && !value.half && !graph.outputs.includes(data.out) && node.outputs.length === 1;
}

function extended(data: DotData, node: Node): DotData {
  return { ...data, nodes: [...data.nodes, node.id], out: node.outputs[0]! };
}

function withAddend(data: DotData, node: Node, graph: Graph): DotData | null {
  if (opOf(node)?.traits.linear !== "add" || !continues(data, node, graph)) return null;
  const id = node.inputs.find((input) => input !== data.out);
  if (id === undefined || node.inputs.length !== 2 || !isConstant(graph, id)) return null;
  if (!sameShape(shapeOf(graph, node.outputs[0]!), data.outShape)) return null;
  const term = biasTerm(graph, id, data.outShape.length, outputChannelAxis(data), data.channels, 1);
  return term && { ...extended(data, node), bias: [...data.bias, term] };
}

function withActivation(data: DotData, node: Node, graph: Graph): DotData | null {
  const op = opOf(node);
  if (!op?.traits.activation || node.inputs[0] !== data.out || !continues(data, node, graph)) return null;
  const activation = activationOf(data, node, op, graph);
  return activation && { ...extended(data, node), activation };
}

function activationOf(data: DotData, node: Node, op: OpDef, graph: Graph): DotActivation | null {
  const constants = node.inputs.map((id) => constantInfo(graph, id));
  const declared = op.traits.activation!(constants, attrsOf(op, node, graph.opsets.get(node.domain) ?? 1));
  if (!declared || declared.kind === "clamp") return declared ?? null;
  const exact = node.inputs[1] !== undefined ? encodedReals(graph, node.inputs[1]) : null;
  const slope = exact ?? Float64Array.from(declared.slope);
  if (!slope.every(Number.isFinite)) return null;
  if (slope.length === 1) return { kind: "slope", slope: new Float64Array(data.channels).fill(slope[0]!) };
  return slope.length === data.channels && outputChannelAxis(data) === 1 ? { kind: "slope", slope } : null;
}

function constantInfo(graph: Graph, id: ValueId): TypeInfo | null {
  if (id === "") return null;
  const value = valueNamed(graph, id);
  const { type, shape } = value;
  const data = value.coded ? constantFloats(value) : value.data;
  const dims = (shape ?? []) as readonly number[];
  return data instanceof Float32Array || data instanceof Float64Array ? { type, dims, constant: data } : { type, dims };
}
