/** The operands of a dot product as centred integers q − zeroPoint, and the exact scale factors that turn accumulators into reals. */
import { type Encoding, gridOf } from "../../encodings/encoding.ts";
import { assert } from "../../errors.ts";
import { type Graph, type ValueId, valueNamed } from "../../graph/graph.ts";
import { constantCodes, isFloat32Constant } from "../../graph/query.ts";
import type { CodeRows } from "../../kernels/packCodes.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import type { MatmulGeometry } from "../../ops/op.ts";
import type { Codes } from "../form.ts";
import type { DotData } from "./data.ts";
import { extentOf, weightIndexer, weightMatrices } from "./geometry.ts";

/** Centred codes in the narrowest array that surely holds them. Never written to: it may be the constant itself. */
export type CentredMatrix = Int8Array | Int16Array | Int32Array | Float64Array;

/** Second operand: per distinct matrix, channel and block of input channels. LPBQ integers are multiplied into the codes, so that it has one block. */
export interface SecondOperand {
  readonly matrices: readonly CentredMatrix[]; // each (channels, depth), centred; k = c·taps + tap; made when first asked for
  readonly strided: readonly CodeRows[] | null; // the matrices where they lie as codes, for packing
  readonly matrixOf: readonly number[]; // by batch
  readonly blockEnds: readonly number[]; // exclusive ends in k, ascending; the last is depth
  readonly scaleAt: (matrix: number, n: number, block: number) => number; // float32 scale of codes (LPBQ: the channel's)
  readonly least: number; // bounds of all elements and 0; of int8 matrices those of their grid
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

/** Exclusive ends, in input channels of one group, of the blocks that have a scale of their own. */
export function blockChannelEnds(data: DotData): number[] {
  const { channelsIn } = extentOf(data.geometry);
  const { blockSize, lpbq } = data.bEncoding;
  if (blockSize === null || lpbq) return [channelsIn];
  const ends: number[] = [];
  for (let end = blockSize; end < channelsIn; end += blockSize) ends.push(end);
  return [...ends, channelsIn];
}

/** The second operand of a run. weightMin: −128 saves looking for elements of int8 matrices below −127. Exact: every sum of products of the layer stays below 2^53 (asserted). */
export function secondOperand(data: DotData, graph: Graph, inputs: Codes, weightMin: -128 | -127 = -127): SecondOperand {
  const codes = codesOf(graph, data.b, data.bEncoding, inputs);
  const { of, first } = weightMatrices(data.geometry);
  let made: readonly CentredMatrix[] | null = null;
  const matrices = (): readonly CentredMatrix[] => (made ??= first.map((batch) => centredMatrix(data, codes, batch)));
  const strided = stridedRows(data, codes, first);
  const { least, most } = extremes(strided?.map(({ elements }) => elements) ?? matrices(), data.bEncoding, weightMin);
  const { depth } = extentOf(data.geometry);
  assert(largestElement({ least, most }) * largestCentred(data.aEncoding) * depth < 2 ** 53, "accumulator beyond 2^53");
  return {
    get matrices() {
      return matrices();
    },
    strided,
    matrixOf: of,
    ...scaleView(data),
    least,
    most,
  };
}

/** Most codes that are packed from where they lie, which takes room for all of them at once. */
const STRIDED_CODES = 1 << 22;

/** Symmetric int8 codes of a matrix product whose columns interleave. */
function stridedRows(
  { geometry, bEncoding }: DotData,
  codes: ArrayLike<number>,
  batches: readonly number[],
): readonly CodeRows<Int8Array>[] | null {
  if (geometry.kind !== "matmul" || !(codes instanceof Int8Array) || !isSymmetric(bEncoding) || codes.length > STRIDED_CODES) return null;
  const [stepStride, rowStride] = geometry.bStrides;
  if (stepStride <= rowStride) return null;
  return batches.map((batch) => ({ elements: codes, start: geometry.bOffsets[batch]!, rowStride, stepStride }));
}

function isSymmetric({ lpbq, zeroPoint }: Encoding): boolean {
  return !lpbq && zeroPoint.every((zero) => zero === 0);
}

function extremes(matrices: readonly CentredMatrix[], encoding: Encoding, weightMin: number): { least: number; most: number } {
  let least = 0;
  let most = 0;
  for (const matrix of matrices) {
    const [low, high] = extremesOf(matrix, encoding, weightMin);
    least = Math.min(least, low);
    most = Math.max(most, high);
  }
  return { least, most };
}

/** Of an int8 matrix, which holds plain codes: the grid, without −128 where no element is that and it matters. */
function extremesOf(matrix: CentredMatrix, { type }: Encoding, weightMin: number): [number, number] {
  if (matrix instanceof Int8Array) {
    const { bits, qmin, qmax } = gridOf(type);
    return [bits < 8 || weightMin === -128 || matrix.includes(-128) ? qmin : -127, qmax];
  }
  let least = 0;
  let most = 0;
  for (let i = 0; i < matrix.length; i++) {
    const value = matrix[i]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
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

/** Codes of a symmetric weight that lie as (channels, depth) already are the matrix. Else the codes of channel n are `taps` consecutive ones per
 *  input channel, `step` apart. */
function centredMatrix(data: DotData, codes: ArrayLike<number>, batch: number): CentredMatrix {
  const { channelsIn, taps, depth } = extentOf(data.geometry);
  const { channels, bEncoding } = data;
  const at = weightIndexer(data.geometry);
  const step = channelsIn > 1 ? at(batch, 0, 1, 0) - at(batch, 0, 0, 0) : taps;
  const symmetric = isSymmetric(bEncoding);
  const ordered = step === taps && (channels === 0 || at(batch, channels - 1, 0, 0) === (channels - 1) * depth);
  if (symmetric && ordered && codes instanceof Int8Array && codes.length === channels * depth) return codes;
  if (symmetric && data.geometry.kind === "matmul" && codes instanceof Int8Array) return transposed(codes, data.geometry, batch);
  const centred = newCentred(bEncoding, channels * depth);
  const indexer = scaleIndexer(bEncoding, data.bShape);
  for (let n = 0; n < channels; n++) {
    const start = at(batch, n, 0, 0);
    if (bEncoding.blockSize === null && !bEncoding.lpbq) {
      centre(centred.subarray(n * depth, (n + 1) * depth), codes, { start, step, taps }, bEncoding.zeroPoint[indexer(start)]!, 1);
      continue;
    }
    for (let c = 0; c < channelsIn; c++) {
      const group = indexer(start + c * step);
      const factor = bEncoding.lpbq ? bEncoding.lpbq.blockInt[group]! : 1;
      const to = centred.subarray(n * depth + c * taps, n * depth + (c + 1) * taps);
      centre(to, codes, { start: start + c * step, step, taps }, bEncoding.zeroPoint[group]!, factor);
    }
  }
  return centred;
}

/** Columns transposed at once: their rows' ends stay in the first cache. */
const STRIP = 16;

/** Columns of a matrix as rows. */
function transposed(codes: Int8Array, { n, k, bOffsets, bStrides }: MatmulGeometry, batch: number): Int8Array {
  const rows = new Int8Array(n * k);
  const [stepK, stepN] = bStrides;
  for (let column = 0; column < n; column += STRIP) {
    const end = Math.min(n, column + STRIP) * k;
    for (let i = 0; i < k; i++) {
      let from = bOffsets[batch]! + i * stepK + column * stepN;
      for (let to = column * k + i; to < end; to += k, from += stepN) rows[to] = codes[from]!;
    }
  }
  return rows;
}

/** Room for centred codes: 17 bit at most (9 for grids up to 8 bit, 8 for symmetric ones), 16 more with integer block scales. */
function newCentred({ type, lpbq, zeroPoint }: Encoding, length: number): CentredMatrix {
  const { bits, signed } = gridOf(type);
  const narrow = bits <= 8;
  if (lpbq && !narrow) return new Float64Array(length);
  if (!narrow || lpbq) return new Int32Array(length);
  return signed && zeroPoint.every((zero) => zero === 0) ? new Int8Array(length) : new Int16Array(length);
}

/** to[c·taps + tap] = (codes[start + c·step + tap] − zero)·factor. */
function centre(
  to: CentredMatrix,
  codes: ArrayLike<number>,
  { start, step, taps }: { readonly start: number; readonly step: number; readonly taps: number },
  zero: number,
  factor: number,
): void {
  for (let i = 0, from = start; i < to.length; from += step - taps) {
    for (const end = i + taps; i < end; i++, from++) to[i] = (codes[from]! - zero) * factor;
  }
}

/** Scale of (matrix, channel n, block): a float32; LPBQ: the channel's, its block integers are part of the codes. */
export function scaleReader(data: DotData): SecondOperand["scaleAt"] {
  const { first } = weightMatrices(data.geometry);
  const at = weightIndexer(data.geometry);
  const { scale, lpbq, blockSize } = data.bEncoding;
  if (blockSize === null && !lpbq && scale.length === 1) return () => scale[0]!;
  if (blockSize === null && !lpbq && scale.length === data.channels) return (_matrix, n) => scale[n]!;
  const indexer = scaleIndexer(
    lpbq ? { ...data.bEncoding, blockSize: null, blockAxis: null, scale: lpbq.channelScale } : data.bEncoding,
    data.bShape,
  );
  const scales = lpbq ? lpbq.channelScale : scale;
  return (matrix, n, block) => scales[indexer(at(first[matrix]!, n, lpbq ? 0 : block * (blockSize ?? 0), 0))]!;
}
