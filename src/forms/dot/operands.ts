/** The operands of a dot product as centred integers q − zeroPoint, and the exact scale factors that turn accumulators into reals. */
import { type Encoding, gridOf } from "../../encodings/encoding.ts";
import { assert } from "../../errors.ts";
import { type Graph, type ValueId, valueNamed } from "../../graph/graph.ts";
import { constantCodes, isFloat32Constant } from "../../graph/query.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import type { Codes } from "../form.ts";
import type { DotData } from "./data.ts";
import { extentOf, weightIndexer, weightMatrices } from "./geometry.ts";

/** Second operand: per distinct matrix, channel and block of input channels. LPBQ integers are multiplied into the codes, so that it has one block. */
export interface SecondOperand {
  readonly matrices: readonly Float64Array[]; // each (channels, depth), centred; k = c·taps + tap
  readonly matrixOf: readonly number[]; // by batch
  readonly blockEnds: readonly number[]; // exclusive ends in k, ascending; the last is depth
  readonly scaleAt: (matrix: number, n: number, block: number) => number; // float32 scale of codes (LPBQ: the channel's)
  readonly least: number; // extremes of all elements and 0
  readonly most: number;
}

/** Codes of `id`: the given ones, or those of an encoded constant. Row-major, true codes. */
export function codesOf(graph: Graph, id: ValueId, encoding: Encoding, inputs: Codes): ArrayLike<number> {
  const given = inputs.get(id);
  if (given) return given.data;
  const value = valueNamed(graph, id);
  assert(isFloat32Constant(value) && value.encoding === encoding, `'${id}' is not a float32 constant of this encoding`);
  return constantCodes(value);
}

/** max |q − zeroPoint| of a per-tensor grid. */
export function largestCentred(encoding: Encoding): number {
  const { qmin, qmax } = gridOf(encoding.type);
  const zero = encoding.zeroPoint[0]!;
  return Math.max(zero - qmin, qmax - zero);
}

/** Centred first operand, row-major. */
export function firstOperand(data: DotData, graph: Graph, inputs: Codes): Float64Array {
  const codes = codesOf(graph, data.a, data.aEncoding, inputs);
  const zero = data.aEncoding.zeroPoint[0]!;
  const centred = new Float64Array(codes.length);
  for (let i = 0; i < centred.length; i++) centred[i] = codes[i]! - zero;
  return centred;
}

/** Exclusive ends, in input channels of one group, of the blocks that have a scale of their own. */
export function blockChannelEnds(data: DotData): number[] {
  const { channelsIn } = extentOf(data.geometry);
  const { blockSize, lpbq } = data.bEncoding;
  if (blockSize === null || lpbq) return [channelsIn];
  const ends: number[] = [];
  for (let end = blockSize; end < channelsIn; end += blockSize) ends.push(end);
  return [...ends, channelsIn];
}

/** The second operand of a run. Exact: every sum of products of the layer stays below 2^53 (asserted). */
export function secondOperand(data: DotData, graph: Graph, inputs: Codes): SecondOperand {
  const codes = codesOf(graph, data.b, data.bEncoding, inputs);
  const { of, first } = weightMatrices(data.geometry);
  const matrices = first.map((batch) => centredMatrix(data, codes, batch));
  const { least, most } = extremes(matrices);
  const { depth } = extentOf(data.geometry);
  assert(largestElement({ least, most }) * largestCentred(data.aEncoding) * depth < 2 ** 53, "accumulator beyond 2^53");
  return { matrices, matrixOf: of, ...scaleView(data), least, most };
}

function extremes(matrices: readonly Float64Array[]): { least: number; most: number } {
  let least = 0;
  let most = 0;
  for (const matrix of matrices) {
    for (let i = 0; i < matrix.length; i++) {
      const value = matrix[i]!;
      if (value < least) least = value;
      else if (value > most) most = value;
    }
  }
  return { least, most };
}

/** max |element|. */
export function largestElement({ least, most }: Pick<SecondOperand, "least" | "most">): number {
  return Math.max(-least, most);
}

/** Block ends and scales, without the codes. */
export function scaleView(data: DotData): Pick<SecondOperand, "blockEnds" | "scaleAt"> {
  const { taps } = extentOf(data.geometry);
  return { blockEnds: blockChannelEnds(data).map((end) => end * taps), scaleAt: scaleReader(data) };
}

function centredMatrix(data: DotData, codes: ArrayLike<number>, batch: number): Float64Array {
  const { channelsIn, taps, depth } = extentOf(data.geometry);
  const at = weightIndexer(data.geometry);
  const indexer = scaleIndexer(data.bEncoding, data.bShape);
  const { zeroPoint, lpbq } = data.bEncoding;
  const centred = new Float64Array(data.channels * depth);
  let k = 0;
  for (let n = 0; n < data.channels; n++) {
    for (let c = 0; c < channelsIn; c++) {
      const group = indexer(at(batch, n, c, 0));
      const zero = zeroPoint[group]!;
      const factor = lpbq ? lpbq.blockInt[group]! : 1;
      for (let tap = 0; tap < taps; tap++) centred[k++] = (codes[at(batch, n, c, tap)]! - zero) * factor;
    }
  }
  return centred;
}

/** Scale of (matrix, channel n, block): a float32; LPBQ: the channel's, its block integers are part of the codes. */
export function scaleReader(data: DotData): SecondOperand["scaleAt"] {
  const { first } = weightMatrices(data.geometry);
  const at = weightIndexer(data.geometry);
  const { scale, lpbq, blockSize } = data.bEncoding;
  const indexer = scaleIndexer(
    lpbq ? { ...data.bEncoding, blockSize: null, blockAxis: null, scale: lpbq.channelScale } : data.bEncoding,
    data.bShape,
  );
  const scales = lpbq ? lpbq.channelScale : scale;
  return (matrix, n, block) => scales[indexer(at(first[matrix]!, n, lpbq ? 0 : block * (blockSize ?? 0), 0))]!;
}

/** Real value of one accumulator step of channel n, in double: alpha·sx·sw (LPBQ: the channel's scale). */
export function accumulatorGrid(data: DotData, second: Pick<SecondOperand, "scaleAt">, matrix: number, n: number): number {
  return data.aEncoding.scale[0]! * second.scaleAt(matrix, n, 0) * data.alpha;
}
