/** An entry of an encodings file meets its tensor: axes from the operator that reads it, scales in row-major order of the tensor. */
import { modelError } from "../errors.ts";
import { scaleIndexer } from "../numerics/affine.ts";
import type { TypedArray } from "../tensor/dtype.ts";
import { formatShape, normalizeAxis } from "../tensor/shape.ts";
import type { IntEntry } from "./aimetEntry.ts";
import type { Encoding } from "./encoding.ts";

/** Axes of a weight as the operator that reads it declares them. */
export interface ConsumerAxes {
  readonly channelAxis: number;
  readonly blockAxis: number | null;
}

export interface EncodedTensor {
  readonly id?: string;
  readonly dims: readonly number[];
  readonly data?: TypedArray; // float weights, which lie on the grid already; decides between layouts
}

// On the grid: |w/s − round(w/s)| is at most 2^-24 · |code| per rounding, 0.004 at 16 bit; off the grid it reaches 0.5.
const ON_GRID = 0.01;

/** The encoding of one tensor.
 *  Block scales come out (one block per channel is per channel) in the order of the tensor's own axes with the block axis shrunk. Where the file's order or axis is
 *  not certain (weights that were transposed on export keep scales in the order of the untransposed weight), the layout that
 *  puts the data on the grid is taken; without data, or when none does, the tensor's own order.
 *  throws ModelError "encodings/length", "encodings/axis", "encodings/unsupported". */
export function resolveEncoding(entry: IntEntry, tensor: EncodedTensor, use: ConsumerAxes | null = null): Encoding {
  const { granularity } = entry;
  if (granularity.kind === "tensor" || (granularity.kind === "block" && entry.scale.length === 1)) {
    return { type: entry.type, scale: entry.scale, zeroPoint: entry.zeroPoint, axis: null, blockSize: null, blockAxis: null };
  }
  const candidates =
    granularity.kind === "channel" ? channelLayouts(entry, granularity.axis, tensor, use) : blockLayouts(entry, tensor, use);
  return pickOnGrid(candidates, tensor);
}

function channelLayouts(entry: IntEntry, fileAxis: number | null, tensor: EncodedTensor, use: ConsumerAxes | null): Encoding[] {
  const { dims } = tensor;
  const count = entry.scale.length;
  const named = fileAxis === null ? [] : [axisOf(fileAxis, tensor)];
  const axes = use ? [axisOf(use.channelAxis, tensor), ...named] : named.length > 0 ? named : dims.map((_, axis) => axis);
  const fitting = [...new Set(axes)].filter((axis) => dims[axis] === count);
  if (fitting.length > 0) {
    return fitting.map((axis) => ({
      type: entry.type,
      scale: entry.scale,
      zeroPoint: entry.zeroPoint,
      axis,
      blockSize: null,
      blockAxis: null,
    }));
  }
  if (fileAxis === null) {
    const pair = axesOf(tensor, use, null);
    const blocks = pair && count / (dims[pair.channel] as number);
    const blockSize = pair && blocks ? (dims[pair.block] as number) / blocks : 0;
    if (pair && blockSize >= 1 && Number.isInteger(blocks) && Number.isInteger(blockSize))
      return orders(entry, tensor, pair, blockSize, null);
  }
  const expected = axes.map((axis) => `${dims[axis]} (axis ${axis})`).join(" or ");
  throw lengthError(tensor, `${count} scales, expected ${expected || "1"}`);
}

function blockLayouts(entry: IntEntry, tensor: EncodedTensor, use: ConsumerAxes | null): Encoding[] {
  const { granularity } = entry;
  if (granularity.kind !== "block" && granularity.kind !== "lpbq") throw new Error("internal: not a block encoding");
  const pair = axesOf(tensor, use, granularity.blockAxis);
  if (!pair)
    throw modelError(
      "encodings/axis",
      `${label(tensor)}: block scales for shape ${formatShape(tensor.dims)}, expected two axes or more.`,
      where(tensor),
    );
  const { blockSize, scaleShape } = granularity;
  const depth = tensor.dims[pair.block] as number;
  if (depth % blockSize !== 0) throw lengthError(tensor, `block size ${blockSize} on axis ${pair.block}, expected a divisor of ${depth}`);
  const channels = tensor.dims[pair.channel] as number;
  const count = granularity.kind === "lpbq" ? granularity.blockInt.length : entry.scale.length;
  const expected = channels * (depth / blockSize);
  if (count !== expected) throw lengthError(tensor, `${count} block scales, expected ${channels} × ${depth / blockSize} = ${expected}`);
  if (granularity.kind === "lpbq" && granularity.channelScale.length !== channels) {
    throw lengthError(tensor, `${granularity.channelScale.length} channel scales, expected ${channels} (axis ${pair.channel})`);
  }
  return orders(entry, tensor, pair, blockSize, scaleShape);
}

interface AxisPair {
  readonly channel: number;
  readonly block: number;
}

/** Channel and block axis: the consumer's, else the file's block axis (default 1) and the first other one. */
function axesOf(tensor: EncodedTensor, use: ConsumerAxes | null, fileBlockAxis: number | null): AxisPair | undefined {
  const rank = tensor.dims.length;
  if (rank < 2) return undefined;
  const block = axisOf(use?.blockAxis ?? fileBlockAxis ?? 1, tensor);
  const channel = use ? axisOf(use.channelAxis, tensor) : block === 0 ? 1 : 0;
  return channel === block ? undefined : { channel, block };
}

/** The tensor's own order first, then the other one, as far as the shape of nested scales allows. */
function orders(
  entry: IntEntry,
  tensor: EncodedTensor,
  pair: AxisPair,
  blockSize: number,
  scaleShape: readonly number[] | null,
): Encoding[] {
  const channels = tensor.dims[pair.channel] as number;
  const blocks = (tensor.dims[pair.block] as number) / blockSize;
  if (blocks === 1 && entry.granularity.kind !== "lpbq") {
    return [{ type: entry.type, scale: entry.scale, zeroPoint: entry.zeroPoint, axis: pair.channel, blockSize: null, blockAxis: null }];
  }
  const channelFirst = pair.channel < pair.block;
  const own = layout(entry, pair, blockSize, { channels, blocks, fileChannelFirst: channelFirst, channelFirst });
  if (channels === 1 || blocks === 1) return [own];
  const other = layout(entry, pair, blockSize, { channels, blocks, fileChannelFirst: !channelFirst, channelFirst });
  const shape = scaleShape?.filter((dim) => dim !== 1);
  if (!shape) return [own, other];
  const ownShape = channelFirst ? [channels, blocks] : [blocks, channels];
  const fitting = [
    ...(shape[0] === ownShape[0] && shape[1] === ownShape[1] ? [own] : []),
    ...(shape[0] === ownShape[1] && shape[1] === ownShape[0] ? [other] : []),
  ];
  if (shape.length === 2 && fitting.length > 0) return fitting;
  throw modelError(
    "encodings/unsupported",
    `${label(tensor)}: scales of shape ${formatShape(scaleShape as readonly number[])}, expected one per channel and block, ${formatShape(ownShape)}.`,
    where(tensor),
  );
}

interface Order {
  readonly channels: number;
  readonly blocks: number;
  readonly fileChannelFirst: boolean;
  readonly channelFirst: boolean;
}

function layout(entry: IntEntry, pair: AxisPair, blockSize: number, order: Order): Encoding {
  const { channels, blocks } = order;
  const count = channels * blocks;
  const source = new Int32Array(count); // output index → index in the file
  for (let c = 0; c < channels; c++) {
    for (let b = 0; b < blocks; b++) {
      source[order.channelFirst ? c * blocks + b : b * channels + c] = order.fileChannelFirst ? c * blocks + b : b * channels + c;
    }
  }
  const grid = { type: entry.type, axis: pair.channel, blockSize, blockAxis: pair.block };
  if (entry.granularity.kind !== "lpbq") {
    const scale = new Float32Array(count).map((_, i) => entry.scale[source[i] as number] as number);
    const zeroPoint = new Int32Array(count).map((_, i) => entry.zeroPoint[source[i] as number] as number);
    return { ...grid, scale, zeroPoint };
  }
  const { channelScale, blockInt: fileInt } = entry.granularity;
  const blockInt = new Uint16Array(count).map((_, i) => fileInt[source[i] as number] as number);
  const channelOf = (i: number): number => (order.channelFirst ? Math.floor(i / blocks) : i % channels);
  const scale = new Float32Array(count).map((_, i) => (channelScale[channelOf(i)] as number) * (blockInt[i] as number));
  return { ...grid, scale, zeroPoint: new Int32Array(count), lpbq: { channelScale, blockInt } };
}

function pickOnGrid(candidates: readonly Encoding[], tensor: EncodedTensor): Encoding {
  const first = candidates[0] as Encoding;
  const { data } = tensor;
  if (candidates.length === 1 || !data) return first;
  return candidates.find((candidate) => isOnGrid(candidate, tensor.dims, data)) ?? first;
}

function isOnGrid(encoding: Encoding, dims: readonly number[], data: TypedArray): boolean {
  const indexOf = scaleIndexer(encoding, dims);
  for (let i = 0; i < data.length; i++) {
    const steps = Number(data[i]) / (encoding.scale[indexOf(i)] as number);
    if (!(Math.abs(steps - Math.round(steps)) <= ON_GRID)) return false;
  }
  return true;
}

function axisOf(axis: number, tensor: EncodedTensor): number {
  const normal = normalizeAxis(axis, tensor.dims.length);
  if (normal !== undefined) return normal;
  throw modelError(
    "encodings/axis",
    `${label(tensor)}: encoding axis ${axis} for shape ${formatShape(tensor.dims)}, expected an axis of it.`,
    where(tensor),
  );
}

function lengthError(tensor: EncodedTensor, found: string): Error {
  return modelError(
    "encodings/length",
    `${label(tensor)}: encoding has ${found}; its shape is ${formatShape(tensor.dims)}. Export the encodings with this model.`,
    where(tensor),
  );
}

function label(tensor: EncodedTensor): string {
  return tensor.id === undefined ? "tensor" : `tensor '${tensor.id}'`;
}

function where(tensor: EncodedTensor): { tensor?: string } {
  return tensor.id === undefined ? {} : { tensor: tensor.id };
}
