/** Shapes of dot products and the products behind each output element, written from the ONNX definitions (row-major index arithmetic only). */
import type { Attr } from "../../src/graph/graph.ts";

/** Shapes and the products behind each output, from the operator's definition. `terms(out)` yields [index in a, index in b]. */
export interface Skeleton {
  readonly op: string;
  readonly attrs: readonly (readonly [string, Attr])[];
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly out: readonly number[];
  readonly channels: number;
  readonly channelAxis: number; // of b
  readonly blockAxis: number;
  readonly outChannel: (out: number) => number;
  readonly pairs: (out: number) => [number, number][];
}

export const size = (dims: readonly number[]): number => dims.reduce((x, y) => x * y, 1);

/** Multi-index of a row-major position. */
export function unravel(index: number, dims: readonly number[]): number[] {
  const result = new Array<number>(dims.length);
  for (let i = dims.length - 1; i >= 0; i--) {
    result[i] = index % dims[i]!;
    index = Math.floor(index / dims[i]!);
  }
  return result;
}

function ravel(index: readonly number[], dims: readonly number[]): number {
  return index.reduce((sum, x, i) => sum * dims[i]! + x, 0);
}

export interface ConvShape {
  readonly batch: number;
  readonly groups: number;
  readonly inPer: number;
  readonly outPer: number;
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly pads: readonly number[]; // begins then ends
}

function convAttrs(shape: ConvShape): [string, Attr][] {
  return [
    ["strides", shape.stride],
    ["dilations", shape.dilation],
    ["pads", shape.pads],
    ["group", shape.groups],
    ["kernel_shape", shape.kernel],
  ];
}

/** The shape with dilations of 1 where the dilated kernel would not fit the padded input: such a convolution has no output. */
function fitted(shape: ConvShape): ConvShape {
  const rank = shape.input.length;
  const room = shape.input.map((extent, d) => extent + shape.pads[d]! + shape.pads[d + rank]!);
  return { ...shape, dilation: shape.dilation.map((step, d) => ((shape.kernel[d]! - 1) * step + 1 > room[d]! ? 1 : step)) };
}

export function convSkeleton(shape: ConvShape): Skeleton {
  const s = fitted(shape);
  const rank = s.input.length;
  const spatial = s.input.map(
    (extent, d) => Math.floor((extent + s.pads[d]! + s.pads[d + rank]! - (s.kernel[d]! - 1) * s.dilation[d]! - 1) / s.stride[d]!) + 1,
  );
  const a = [s.batch, s.groups * s.inPer, ...s.input];
  const b = [s.groups * s.outPer, s.inPer, ...s.kernel];
  const out = [s.batch, s.groups * s.outPer, ...spatial];
  const pairs = (index: number): [number, number][] => {
    const [n, oc, ...position] = unravel(index, out) as [number, number, ...number[]];
    const found: [number, number][] = [];
    for (let c = 0; c < s.inPer; c++) {
      for (let tap = 0; tap < size(s.kernel); tap++) {
        const w = unravel(tap, s.kernel);
        const at = w.map((x, d) => position[d]! * s.stride[d]! + x * s.dilation[d]! - s.pads[d]!);
        if (at.some((x, d) => x < 0 || x >= s.input[d]!)) continue;
        found.push([ravel([n, Math.floor(oc / s.outPer) * s.inPer + c, ...at], a), ravel([oc, c, ...w], b)]);
      }
    }
    return found;
  };
  return {
    op: "Conv",
    attrs: convAttrs(s),
    a,
    b,
    out,
    channels: b[0]!,
    channelAxis: 0,
    blockAxis: 1,
    outChannel: (index) => unravel(index, out)[1]!,
    pairs,
  };
}

/** Scatter form of the definition: input position i adds to output i·stride + w·dilation − pad. */
export function transposedSkeleton(s: ConvShape): Skeleton {
  const rank = s.input.length;
  const spatial = s.input.map(
    (extent, d) => s.stride[d]! * (extent - 1) + (s.kernel[d]! - 1) * s.dilation[d]! + 1 - s.pads[d]! - s.pads[d + rank]!,
  );
  const a = [s.batch, s.groups * s.inPer, ...s.input];
  const b = [s.groups * s.inPer, s.outPer, ...s.kernel];
  const out = [s.batch, s.groups * s.outPer, ...spatial];
  const scattered = new Map<number, [number, number][]>();
  for (let i = 0; i < size(a); i++) {
    const [n, c, ...position] = unravel(i, a) as [number, number, ...number[]];
    for (let j = 0; j < s.outPer; j++) {
      for (let tap = 0; tap < size(s.kernel); tap++) {
        const w = unravel(tap, s.kernel);
        const at = position.map((x, d) => x * s.stride[d]! + w[d]! * s.dilation[d]! - s.pads[d]!);
        if (at.some((x, d) => x < 0 || x >= spatial[d]!)) continue;
        const to = ravel([n, Math.floor(c / s.inPer) * s.outPer + j, ...at], out);
        const list = scattered.get(to) ?? [];
        list.push([i, ravel([c, j, ...w], b)]);
        scattered.set(to, list);
      }
    }
  }
  return {
    op: "ConvTranspose",
    attrs: convAttrs(s),
    a,
    b,
    out,
    channels: s.groups * s.outPer,
    channelAxis: 1,
    blockAxis: 0,
    outChannel: (index) => unravel(index, out)[1]!,
    pairs: (index) => scattered.get(index) ?? [],
  };
}

export function gemmSkeleton(m: number, n: number, k: number, transA: boolean, transB: boolean, alpha: number): Skeleton {
  const a = transA ? [k, m] : [m, k];
  const b = transB ? [n, k] : [k, n];
  const attrs: [string, Attr][] = [
    ["transA", transA ? 1 : 0],
    ["transB", transB ? 1 : 0],
    ["alpha", alpha],
  ];
  const pairs = (index: number): [number, number][] => {
    const [row, column] = unravel(index, [m, n]) as [number, number];
    return Array.from({ length: k }, (_, i) => [ravel(transA ? [i, row] : [row, i], a), ravel(transB ? [column, i] : [i, column], b)]);
  };
  return {
    op: "Gemm",
    attrs,
    a,
    b,
    out: [m, n],
    channels: n,
    channelAxis: transB ? 0 : 1,
    blockAxis: transB ? 1 : 0,
    outChannel: (index) => index % n,
    pairs,
  };
}

/** a [...lead, m, k] times b [..., k, n] where b repeats over the leading axes it lacks or has as 1. */
export function matmulSkeleton(lead: readonly number[], m: number, k: number, n: number, bLead: readonly number[]): Skeleton {
  const a = [...lead, m, k];
  const b = [...bLead, k, n];
  const out = [...lead, m, n];
  const pairs = (index: number): [number, number][] => {
    const at = unravel(index, out);
    const batch = at.slice(0, lead.length);
    const ours = batch.slice(lead.length - bLead.length).map((x, i) => (bLead[i] === 1 ? 0 : x));
    return Array.from({ length: k }, (_, i) => [ravel([...batch, at[lead.length]!, i], a), ravel([...ours, i, at[lead.length + 1]!], b)]);
  };
  return {
    op: "MatMul",
    attrs: [],
    a,
    b,
    out,
    channels: n,
    channelAxis: b.length - 1,
    blockAxis: b.length - 2,
    outChannel: (index) => index % n,
    pairs,
  };
}

/** Matrix times vector: b has one axis and the output no column axis. */
export function vectorSkeleton(m: number, k: number): Skeleton {
  return {
    op: "MatMul",
    attrs: [],
    a: [m, k],
    b: [k],
    out: [m],
    channels: 1,
    channelAxis: -1,
    blockAxis: 0,
    outChannel: () => 0,
    pairs: (row) => Array.from({ length: k }, (_, i) => [row * k + i, i]),
  };
}
