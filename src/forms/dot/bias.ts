/** Bias terms: constants spread over the output channels, with encodings of up to 16 bit applied as the simulation applies them. */
import { gridOf } from "../../encodings/encoding.ts";
import { type Graph, type ValueId, valueNamed } from "../../graph/graph.ts";
import { constantCodes, constantFloats, isFloat32Constant } from "../../graph/query.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import { productError } from "../../numerics/expansion.ts";
import type { BiasTerm } from "./data.ts";

/** Elements of a float32 constant as real numbers: encodings of ≤ 16 bit are applied. */
function realConstant(graph: Graph, id: ValueId): Float64Array | null {
  const value = valueNamed(graph, id);
  if (value.half || !isFloat32Constant(value)) return null;
  return encodedReals(graph, id) ?? new Float64Array(constantFloats(value));
}

/** Elements of a constant with an encoding of ≤ 16 bit: the exact products scale · (q − zeroPoint), 24 + 17 bits. Null for others. */
export function encodedReals(graph: Graph, id: ValueId): Float64Array | null {
  const value = valueNamed(graph, id);
  const { encoding } = value;
  if (!encoding || gridOf(encoding.type).bits > 16 || !isFloat32Constant(value)) return null;
  const dims = value.shape as readonly number[];
  const codes = constantCodes(value);
  const indexer = scaleIndexer(encoding, dims);
  return Float64Array.from(codes, (code, i) => encoding.scale[indexer(i)]! * (code - encoding.zeroPoint[indexer(i)]!));
}

/** `elements` of shape `dims`, aligned right to an output of `rank` axes, as one number per channel.
 *  Null when they vary along another axis than `channelAxis`. */
export function perChannel(
  elements: Float64Array,
  dims: readonly number[],
  rank: number,
  channelAxis: number | null,
  channels: number,
): Float64Array | null {
  if (elements.length === 1) return dims.length <= rank ? new Float64Array(channels).fill(elements[0]!) : null;
  const lead = rank - dims.length;
  const varies = dims.every((dim, i) => dim === 1 || (lead + i === channelAxis && dim === channels));
  return varies && lead >= 0 && elements.length === channels ? elements : null;
}

/** One bias term of `id`, times `factor` (Gemm's beta, a float32). Null when an element is not finite (an attention mask), for which
 *  exact arithmetic has no number, or its product no double (an encoded one has 41 bits): the layer is then computed in double. */
export function biasTerm(
  graph: Graph,
  id: ValueId,
  rank: number,
  channelAxis: number | null,
  channels: number,
  factor: number,
): BiasTerm | null {
  const elements = realConstant(graph, id);
  if (!elements) return null;
  const { shape, encoding, integers } = valueNamed(graph, id);
  const spread = perChannel(elements, shape as readonly number[], rank, channelAxis, channels);
  if (!spread?.every(Number.isFinite)) return null;
  const known = { value: id, encoding: encoding ?? null };
  if (factor === 1) {
    const codes = integers && perChannel(Float64Array.from(integers), shape as readonly number[], rank, channelAxis, channels);
    return { ...known, data: spread, integers: codes ?? null };
  }
  if (!spread.every((element) => productError(element, factor, element * factor) === 0)) return null;
  return { ...known, data: spread.map((element) => element * factor), integers: null };
}
