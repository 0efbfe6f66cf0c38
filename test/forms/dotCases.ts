/** Seeded dot-product layers of every kind: as a graph for the code under test and as an oracle layer written from the ONNX definitions. */
import { type Encoding, gridOf } from "../../src/encodings/encoding.ts";
import type { Layer } from "../../src/forms/form.ts";
import type { Attr, Graph, Node, Value } from "../../src/graph/graph.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import type { Numbers } from "../../src/ops/op.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";
import type { OracleLayer, Term } from "./dotOracle.ts";

export type Kind = "conv1d" | "conv2d" | "grouped" | "depthwise" | "pointwise" | "transposed" | "matmul" | "batched" | "gemm" | "gemmTransA" | "vector";
export const KINDS: readonly Kind[] = [
  "conv1d", "conv2d", "grouped", "depthwise", "pointwise", "transposed", "matmul", "batched", "gemm", "gemmTransA", "vector",
];
export type Granularity = "tensor" | "channel" | "block" | "lpbq";
export type ActivationKind = "none" | "relu" | "clip" | "leaky" | "prelu";

export interface CaseOptions {
  readonly kind: Kind;
  readonly granularity: Granularity;
  readonly activation: ActivationKind;
  readonly aType: ElementType;
  readonly bType: ElementType;
  readonly outType: ElementType;
  readonly asymmetric: boolean; // of the weights
  readonly computed: boolean; // matmul kinds only
  readonly bias: "none" | "own" | "add";
  readonly ties: boolean;
  readonly alpha: number; // gemm kinds only
}

export interface DotCase {
  readonly graph: Graph;
  readonly layer: Layer;
  readonly inputs: ReadonlyMap<string, Numbers>;
  readonly oracle: OracleLayer;
  readonly size: number;
}

/** Shapes and the products behind each output, from the operator's definition. `terms(out)` yields [index in a, index in b]. */
interface Skeleton {
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

const size = (dims: readonly number[]): number => dims.reduce((x, y) => x * y, 1);

/** Multi-index of a row-major position. */
function unravel(index: number, dims: readonly number[]): number[] {
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

interface ConvShape {
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
  return [["strides", shape.stride], ["dilations", shape.dilation], ["pads", shape.pads], ["group", shape.groups], ["kernel_shape", shape.kernel]];
}

function convSkeleton(s: ConvShape): Skeleton {
  const rank = s.input.length;
  const spatial = s.input.map((extent, d) => Math.floor((extent + s.pads[d]! + s.pads[d + rank]! - (s.kernel[d]! - 1) * s.dilation[d]! - 1) / s.stride[d]!) + 1);
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
    op: "Conv", attrs: convAttrs(s), a, b, out, channels: b[0]!, channelAxis: 0, blockAxis: 1, outChannel: (index) => unravel(index, out)[1]!, pairs,
  };
}

/** Scatter form of the definition: input position i adds to output i·stride + w·dilation − pad. */
function transposedSkeleton(s: ConvShape): Skeleton {
  const rank = s.input.length;
  const spatial = s.input.map((extent, d) => s.stride[d]! * (extent - 1) + (s.kernel[d]! - 1) * s.dilation[d]! + 1 - s.pads[d]! - s.pads[d + rank]!);
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
    op: "ConvTranspose", attrs: convAttrs(s), a, b, out, channels: s.groups * s.outPer, channelAxis: 1, blockAxis: 0,
    outChannel: (index) => unravel(index, out)[1]!, pairs: (index) => scattered.get(index) ?? [],
  };
}

function gemmSkeleton(m: number, n: number, k: number, transA: boolean, transB: boolean, alpha: number): Skeleton {
  const a = transA ? [k, m] : [m, k];
  const b = transB ? [n, k] : [k, n];
  const attrs: [string, Attr][] = [["transA", transA ? 1 : 0], ["transB", transB ? 1 : 0], ["alpha", alpha]];
  const pairs = (index: number): [number, number][] => {
    const [row, column] = unravel(index, [m, n]) as [number, number];
    return Array.from({ length: k }, (_, i) => [ravel(transA ? [i, row] : [row, i], a), ravel(transB ? [column, i] : [i, column], b)]);
  };
  return {
    op: "Gemm", attrs, a, b, out: [m, n], channels: n, channelAxis: transB ? 0 : 1, blockAxis: transB ? 1 : 0, outChannel: (index) => index % n, pairs,
  };
}

/** a [...lead, m, k] times b [..., k, n] where b repeats over the leading axes it lacks or has as 1. */
function matmulSkeleton(lead: readonly number[], m: number, k: number, n: number, bLead: readonly number[]): Skeleton {
  const a = [...lead, m, k];
  const b = [...bLead, k, n];
  const out = [...lead, m, n];
  const pairs = (index: number): [number, number][] => {
    const at = unravel(index, out);
    const batch = at.slice(0, lead.length);
    const ours = batch.slice(lead.length - bLead.length).map((x, i) => (bLead[i] === 1 ? 0 : x));
    return Array.from({ length: k }, (_, i) => [ravel([...batch, at[lead.length]!, i], a), ravel([...ours, i, at[lead.length + 1]!], b)]);
  };
  return { op: "MatMul", attrs: [], a, b, out, channels: n, channelAxis: b.length - 1, blockAxis: b.length - 2, outChannel: (index) => index % n, pairs };
}

/** Matrix times vector: b has one axis and the output no column axis. */
function vectorSkeleton(m: number, k: number): Skeleton {
  return {
    op: "MatMul", attrs: [], a: [m, k], b: [k], out: [m], channels: 1, channelAxis: -1, blockAxis: 0, outChannel: () => 0,
    pairs: (row) => Array.from({ length: k }, (_, i) => [row * k + i, i]),
  };
}

function skeletonOf(options: CaseOptions, random: Pcg32): Skeleton {
  const pick = (lo: number, hi: number): number => random.integer(lo, hi);
  const two = (lo: number, hi: number): number[] => [pick(lo, hi), pick(lo, hi)];
  const conv = (changes: Partial<ConvShape>): ConvShape => ({
    batch: pick(1, 2), groups: 1, inPer: pick(1, 9), outPer: pick(1, 18), input: two(3, 6), kernel: two(1, 3), stride: two(1, 2), dilation: two(1, 2),
    pads: [...two(0, 2), ...two(1, 2)], ...changes,
  });
  switch (options.kind) {
    case "conv1d": return convSkeleton(conv({ input: [pick(5, 11)], kernel: [pick(1, 4)], stride: [pick(1, 2)], dilation: [pick(1, 2)], pads: two(0, 2) }));
    case "conv2d": return convSkeleton(conv({}));
    case "grouped": return convSkeleton(conv({ groups: pick(2, 3), inPer: pick(1, 4), outPer: pick(1, 5) }));
    case "depthwise": return convSkeleton(conv({ groups: pick(2, 19), inPer: 1, outPer: 1 }));
    case "pointwise": return convSkeleton(conv({ kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], inPer: pick(1, 21) }));
    case "transposed": return transposedSkeleton(conv({ groups: pick(1, 2), inPer: pick(1, 4), outPer: pick(1, 4), input: two(2, 4), pads: [...two(0, 1), 0, 0], kernel: two(2, 3) }));
    case "matmul": return matmulSkeleton([pick(1, 2)], pick(1, 8), pick(1, 20), pick(1, 10), []);
    case "batched": return matmulSkeleton([pick(1, 2), pick(1, 3)], pick(1, 7), pick(1, 20), pick(1, 9), [1]);
    case "gemm": return gemmSkeleton(pick(1, 8), pick(1, 10), pick(1, 20), false, random.integer(0, 1) === 1, options.alpha);
    case "gemmTransA": return gemmSkeleton(pick(1, 8), pick(1, 10), pick(1, 20), true, false, options.alpha);
    case "vector": return vectorSkeleton(pick(1, 8), pick(1, 20));
  }
}

const float32 = Math.fround;

/** A float32 scale around `about`; ties: a power of two. */
function scaleAround(about: number, ties: boolean, random: Pcg32): number {
  return ties ? 2 ** Math.round(Math.log2(about)) : float32(about * random.uniform(0.5, 1.5));
}

function codes(type: ElementType, count: number, random: Pcg32): number[] {
  const { qmin, qmax } = gridOf(type);
  return Array.from({ length: count }, () => {
    const draw = random.integer(0, 9);
    return draw === 0 ? qmin : draw === 1 ? qmax : random.integer(qmin, qmax);
  });
}

function value(id: string, shape: readonly number[], extra: Partial<Value> = {}): Value {
  return { id, type: "float32", shape, ...extra };
}

interface Weights {
  readonly encoding: Encoding;
  readonly groupOf: (index: number) => number; // scale index of an element
  readonly channelOf: (index: number) => number;
  readonly centred: readonly number[]; // block integers included
  readonly data: Float32Array;
  readonly codes: readonly number[];
}

function weightsOf(options: CaseOptions, s: Skeleton, random: Pcg32): Weights {
  const { granularity, bType } = options;
  const drawn = random.integer(1, 4);
  const blockSize = granularity !== "block" && granularity !== "lpbq" ? null : s.op === "ConvTranspose" ? 1 : drawn; // groups must hold whole blocks
  const perChannel = granularity !== "tensor" && s.channelAxis >= 0;
  const channelCount = perChannel ? s.b[s.channelAxis]! : 1;
  const blocks = blockSize === null ? 1 : Math.ceil(s.b[s.blockAxis]! / blockSize);
  const channelOf = (index: number): number => (perChannel ? unravel(index, s.b)[s.channelAxis]! : 0);
  const blockOf = (index: number): number => (blockSize === null ? 0 : Math.floor(unravel(index, s.b)[s.blockAxis]! / blockSize));
  const rowMajor = s.channelAxis < s.blockAxis || blockSize === null || !perChannel;
  const groupOf = (index: number): number => (rowMajor ? channelOf(index) * blocks + blockOf(index) : blockOf(index) * channelCount + channelOf(index));
  const count = channelCount * blocks;
  const channelScale = Float32Array.from({ length: channelCount }, () => scaleAround(0.02, options.ties, random));
  const blockInt = Uint16Array.from({ length: count }, () => random.integer(1, 16));
  const scale = Float32Array.from({ length: count }, (_, g) => {
    const channel = rowMajor ? Math.floor(g / blocks) : g % channelCount;
    return granularity === "lpbq" ? channelScale[channel]! * blockInt[g]! : granularity === "block" ? scaleAround(0.02, options.ties, random) : channelScale[channel]!;
  });
  const { qmin, qmax } = gridOf(bType);
  const middle = qmin < 0 ? 0 : (qmax + 1) / 2;
  const zeroPoint = Int32Array.from({ length: count }, () => (options.asymmetric ? random.integer(qmin, qmax) : middle));
  const q = codes(bType, size(s.b), random);
  const centred = q.map((code, i) => (code - zeroPoint[groupOf(i)]!) * (granularity === "lpbq" ? blockInt[groupOf(i)]! : 1));
  const data = Float32Array.from(q, (code, i) => scale[groupOf(i)]! * (code - zeroPoint[groupOf(i)]!));
  const encoding: Encoding = {
    type: bType, scale, zeroPoint, axis: perChannel ? s.channelAxis : null, blockSize, blockAxis: blockSize === null ? null : s.blockAxis,
    ...(granularity === "lpbq" ? { lpbq: { channelScale, blockInt } } : {}),
  };
  return { encoding, groupOf, channelOf, centred, data, codes: q };
}

function activationNode(options: CaseOptions, s: Skeleton, input: string, random: Pcg32): { node: Node; constants: Value[]; slope: number[] | null; clamp: [number, number] | null } | null {
  const node = (op: string, inputs: string[], attrs: [string, Attr][] = []): Node => ({ id: "act", op, domain: "", attrs: new Map(attrs), inputs, outputs: ["out"] });
  if (options.activation === "relu") return { node: node("Relu", [input]), constants: [], slope: null, clamp: [0, Number.POSITIVE_INFINITY] };
  if (options.activation === "clip") {
    const [lo, hi] = [float32(-random.uniform(0, 0.5)), float32(random.uniform(0, 1))];
    const constants = [value("lo", [], { data: Float32Array.of(lo) }), value("hi", [], { data: Float32Array.of(hi) })];
    return { node: node("Clip", [input, "lo", "hi"]), constants, slope: null, clamp: [lo, hi] };
  }
  if (options.activation === "leaky") {
    const alpha = options.ties ? 0.25 : float32(random.uniform(0.01, 0.5));
    return { node: node("LeakyRelu", [input], [["alpha", alpha]]), constants: [], slope: new Array<number>(s.channels).fill(alpha), clamp: null };
  }
  if (options.activation === "prelu") {
    const perChannel = s.out.length >= 2 && (s.op !== "MatMul" || s.out.length === 2);
    const slope = Array.from({ length: perChannel ? s.channels : 1 }, () => (options.ties ? 0.5 : float32(random.uniform(-0.2, 0.9))));
    const shape = perChannel ? [s.channels, ...new Array<number>(s.out.length - 2).fill(1)] : [1];
    const constants = [value("slope", shape, { data: Float32Array.from(slope) })];
    return { node: node("PRelu", [input, "slope"]), constants, slope: perChannel ? slope : new Array<number>(s.channels).fill(slope[0]!), clamp: null };
  }
  return null;
}

/** A layer of the given kind. The seed names everything random. */
export function makeCase(options: CaseOptions, seed: number): DotCase {
  const random = createPcg32(seed, 7);
  const s = skeletonOf(options, random);
  const w = weightsOf(options, s, random);
  const aGrid = gridOf(options.aType);
  const aZero = random.integer(aGrid.qmin, aGrid.qmax);
  const sx = scaleAround(2 / (aGrid.qmax - aGrid.qmin), options.ties, random);
  const a = codes(options.aType, size(s.a), random);
  const depth = Math.max(1, s.pairs(0).length);
  const weightSpread = Math.sqrt(w.data.reduce((sum, x) => sum + x * x, 0) / w.data.length) || 1;
  const outGrid = gridOf(options.outType);
  const spread = sx * ((aGrid.qmax - aGrid.qmin) / 3) * weightSpread * Math.sqrt(depth) * options.alpha;
  const about = (spread * 3) / (outGrid.qmax - outGrid.qmin);
  const sy = options.ties && seed % 3 === 0 ? float32(2 ** Math.round(Math.log2(about / 49)) * 49) : scaleAround(about, options.ties, random);
  const zy = random.integer(outGrid.qmin, outGrid.qmax);
  const grid = sx * 0.02;
  const biasData = Float32Array.from({ length: s.channels }, () => (options.ties ? Math.round(random.uniform(-40, 40)) * (sy / 4) : random.uniform(-1, 1) * spread * 2 + grid));
  const hasBias = options.bias !== "none" && (options.bias === "add" || s.op !== "MatMul");
  const own = options.bias === "own" && s.op !== "MatMul";
  const scalar = s.op === "MatMul" && s.b.length === 1;
  const encodingOf = (type: ElementType, scale: number, zero: number): Encoding => ({
    type, scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zero), axis: null, blockSize: null, blockAxis: null,
  });
  const addShape = scalar ? [1] : s.op.startsWith("Conv") ? [s.channels, ...new Array<number>(s.out.length - 2).fill(1)] : [s.channels];
  const afterAdd = options.activation === "none" ? "out" : "sum";
  const dotOut = hasBias && !own ? "dot" : afterAdd;
  const nodes: Node[] = [
    { id: "dot1", op: s.op, domain: "", attrs: new Map(s.attrs), inputs: ["a", "b", ...(own ? ["bias"] : [])], outputs: [dotOut] },
    ...(hasBias && !own ? [{ id: "add", op: "Add", domain: "", attrs: new Map<string, Attr>(), inputs: seed % 2 === 0 ? ["dot", "bias"] : ["bias", "dot"], outputs: [afterAdd] }] : []),
  ];
  const activation = activationNode(options, s, afterAdd, random);
  if (activation) nodes.push(activation.node);
  const computed = options.computed && !s.op.startsWith("Conv");
  const values = [
    value("a", s.a, { encoding: encodingOf(options.aType, sx, aZero) }),
    value("b", s.b, { encoding: w.encoding, ...(computed ? {} : { data: w.data }) }),
    value("bias", own ? [s.channels] : addShape, { data: biasData }),
    ...["dot", "sum"].map((id) => value(id, s.out)),
    value("out", s.out, { encoding: encodingOf(options.outType, sy, zy) }),
    ...(activation?.constants ?? []),
  ];
  const graph: Graph = {
    name: `${options.kind}-${seed}`, opsets: new Map([["", 17]]), nodes, values: new Map(values.map((each) => [each.id, each])),
    inputs: computed ? ["a", "b"] : ["a"], outputs: ["out"],
  };
  const inputs = new Map<string, Numbers>([["a", { dims: s.a, data: Float64Array.from(a) }]]);
  if (computed) inputs.set("b", { dims: s.b, data: Float64Array.from(w.codes) });
  const lpbq = options.granularity === "lpbq";
  const terms = (out: number): Term[] =>
    s.pairs(out).map(([i, j]) => ({ x: a[i]! - aZero, w: w.centred[j]!, scale: lpbq ? w.channelOf(j) : w.groupOf(j) }));
  const oracle: OracleLayer = {
    terms, channel: s.outChannel, sx, weightScale: lpbq ? Array.from(w.encoding.lpbq!.channelScale) : Array.from(w.encoding.scale),
    alpha: s.op === "Gemm" ? options.alpha : 1, bias: hasBias ? [Array.from(biasData)] : [], slope: activation?.slope ?? null, clamp: activation?.clamp ?? null,
    out: { scale: [sy], zeroPoint: [zy], qmin: outGrid.qmin, qmax: outGrid.qmax },
  };
  return { graph, layer: { nodes, inputs: graph.inputs, outputs: ["out"], island: false }, inputs, oracle, size: size(s.out) };
}

/** Random options for a kind of layer and granularity of weights; every third seed is tie-heavy. */
export function optionsOf(kind: Kind, granularity: Granularity, seed: number): CaseOptions {
  const random = createPcg32(seed, 3);
  const pick = <T>(list: readonly T[]): T => list[random.integer(0, list.length - 1)]!;
  const activation = pick<ActivationKind>(["none", "none", "relu", "clip", "leaky", "prelu"]);
  const narrow: readonly ElementType[] = ["int8", "uint8", "int4"];
  const computed = granularity === "tensor" && random.integer(0, 2) === 0;
  const sloped = activation === "leaky" || activation === "prelu";
  const alpha = random.integer(0, 3) > 0 ? 1 : granularity === "block" && sloped ? 0.5 : Math.fround(random.uniform(0.1, 2)); // alpha · slope: a float32
  return {
    kind, granularity, activation, computed,
    aType: pick<ElementType>(["int8", "uint8", "uint8", "uint4", "int16", "uint16"]),
    bType: granularity === "lpbq" ? "int4" : pick<ElementType>(computed ? ["int8", "uint8", "uint16"] : [...narrow, "uint4", "int16"]),
    outType: pick<ElementType>(["int8", "uint8", "uint16", "int4"]),
    asymmetric: computed || (granularity !== "lpbq" && random.integer(0, 1) === 1), bias: pick(["none", "own", "add"]), ties: seed % 3 === 0,
    alpha,
  };
}
