/** Seeded dot-product layers of every kind: as a graph for the code under test and as an oracle layer written from the ONNX definitions. */
import { type Encoding, gridOf, perTensor } from "../../src/encodings/encoding.ts";
import type { Layer } from "../../src/forms/form.ts";
import type { Attr, Graph, Node, Value } from "../../src/graph/graph.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import type { Numbers } from "../../src/ops/op.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";
import type { OracleLayer, Term } from "./dotOracle.ts";
import {
  type ConvShape,
  convSkeleton,
  gemmSkeleton,
  matmulSkeleton,
  type Skeleton,
  size,
  transposedSkeleton,
  unravel,
  vectorSkeleton,
} from "./dotSkeletons.ts";

export type Kind =
  | "conv1d"
  | "conv2d"
  | "grouped"
  | "depthwise"
  | "depthwiseTransposed"
  | "pointwise"
  | "transposed"
  | "matmul"
  | "batched"
  | "gemm"
  | "gemmTransA"
  | "vector";
export const KINDS: readonly Kind[] = [
  "conv1d",
  "conv2d",
  "grouped",
  "depthwise",
  "depthwiseTransposed",
  "pointwise",
  "transposed",
  "matmul",
  "batched",
  "gemm",
  "gemmTransA",
  "vector",
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

function skeletonOf(options: CaseOptions, random: Pcg32): Skeleton {
  const pick = (lo: number, hi: number): number => random.integer(lo, hi);
  const two = (lo: number, hi: number): number[] => [pick(lo, hi), pick(lo, hi)];
  const conv = (changes: Partial<ConvShape>): ConvShape => ({
    batch: pick(1, 2),
    groups: 1,
    inPer: pick(1, 9),
    outPer: pick(1, 18),
    input: two(3, 6),
    kernel: two(1, 3),
    stride: two(1, 2),
    dilation: two(1, 2),
    pads: [...two(0, 2), ...two(1, 2)],
    ...changes,
  });
  switch (options.kind) {
    case "conv1d":
      return convSkeleton(
        conv({ input: [pick(5, 11)], kernel: [pick(1, 4)], stride: [pick(1, 2)], dilation: [pick(1, 2)], pads: two(0, 2) }),
      );
    case "conv2d":
      return convSkeleton(conv({}));
    case "grouped":
      return convSkeleton(conv({ groups: pick(2, 3), inPer: pick(1, 4), outPer: pick(1, 5) }));
    case "depthwise":
      return convSkeleton(depthwiseShape(random));
    case "depthwiseTransposed": {
      const shape = depthwiseShape(random);
      return transposedSkeleton({ ...shape, pads: shape.pads.map((pad, i) => Math.min(pad, shape.kernel[i % shape.kernel.length]! >> 1)) });
    }
    case "pointwise":
      return convSkeleton(conv({ kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], inPer: pick(1, 21) }));
    case "transposed":
      return transposedSkeleton(
        conv({
          groups: pick(1, 2),
          inPer: pick(1, 4),
          outPer: pick(1, 4),
          input: two(2, 4),
          pads: [...two(0, 1), 0, 0],
          kernel: two(2, 3),
        }),
      );
    case "matmul":
      return matmulSkeleton([pick(1, 2)], pick(1, 8), pick(1, 20), pick(1, 10), []);
    case "batched":
      return matmulSkeleton([pick(1, 2), pick(1, 3)], pick(1, 7), pick(1, 20), pick(1, 9), [1]);
    case "gemm":
      return gemmSkeleton(pick(1, 8), pick(1, 10), pick(1, 20), false, random.integer(0, 1) === 1, options.alpha);
    case "gemmTransA":
      return gemmSkeleton(pick(1, 8), pick(1, 10), pick(1, 20), true, false, options.alpha);
    case "vector":
      return vectorSkeleton(pick(1, 8), pick(1, 20));
  }
}

/** One to three axes. */
function depthwiseShape(random: Pcg32): ConvShape {
  const rank = [2, 2, 1, 3][random.integer(0, 3)]!;
  const axes = (lo: number, hi: number): number[] => Array.from({ length: rank }, () => random.integer(lo, hi));
  const [batch, groups] = [random.integer(1, 2), random.integer(2, 19)];
  const most = rank === 3 ? 4 : 9;
  return {
    batch,
    groups,
    inPer: 1,
    outPer: 1,
    input: axes(3, most),
    kernel: axes(1, 3 + (most >> 2)),
    stride: axes(1, 3),
    dilation: axes(1, 2),
    pads: [...axes(0, 2), ...axes(1, 2)],
  };
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
  const drawn = granularity === "lpbq" && random.integer(0, 1) === 1 ? 4 * random.integer(1, 3) : random.integer(1, 4);
  const blockSize = granularity !== "block" && granularity !== "lpbq" ? null : s.op === "ConvTranspose" ? 1 : drawn; // groups must hold whole blocks
  const perChannel = granularity !== "tensor" && s.channelAxis >= 0;
  const channelCount = perChannel ? s.b[s.channelAxis]! : 1;
  const blocks = blockSize === null ? 1 : Math.ceil(s.b[s.blockAxis]! / blockSize);
  const channelOf = (index: number): number => (perChannel ? unravel(index, s.b)[s.channelAxis]! : 0);
  const blockOf = (index: number): number => (blockSize === null ? 0 : Math.floor(unravel(index, s.b)[s.blockAxis]! / blockSize));
  const rowMajor = s.channelAxis < s.blockAxis || blockSize === null || !perChannel;
  const groupOf = (index: number): number =>
    rowMajor ? channelOf(index) * blocks + blockOf(index) : blockOf(index) * channelCount + channelOf(index);
  const count = channelCount * blocks;
  const channelScale = Float32Array.from({ length: channelCount }, () => scaleAround(0.02, options.ties, random));
  const blockInt = Uint16Array.from({ length: count }, () => random.integer(1, 16));
  const scale = Float32Array.from({ length: count }, (_, g) => {
    const channel = rowMajor ? Math.floor(g / blocks) : g % channelCount;
    return granularity === "lpbq"
      ? channelScale[channel]! * blockInt[g]!
      : granularity === "block"
        ? scaleAround(0.02, options.ties, random)
        : channelScale[channel]!;
  });
  const { qmin, qmax } = gridOf(bType);
  const middle = qmin < 0 ? 0 : (qmax + 1) / 2;
  const zeroPoint = Int32Array.from({ length: count }, () => (options.asymmetric ? random.integer(qmin, qmax) : middle));
  const q = codes(bType, size(s.b), random);
  const centred = q.map((code, i) => (code - zeroPoint[groupOf(i)]!) * (granularity === "lpbq" ? blockInt[groupOf(i)]! : 1));
  const data = Float32Array.from(q, (code, i) => scale[groupOf(i)]! * (code - zeroPoint[groupOf(i)]!));
  const encoding: Encoding = {
    type: bType,
    scale,
    zeroPoint,
    axis: perChannel ? s.channelAxis : null,
    blockSize,
    blockAxis: blockSize === null ? null : s.blockAxis,
    ...(granularity === "lpbq" ? { lpbq: { channelScale, blockInt } } : {}),
  };
  return { encoding, groupOf, channelOf, centred, data, codes: q };
}

function activationNode(
  options: CaseOptions,
  s: Skeleton,
  input: string,
  random: Pcg32,
): { node: Node; constants: Value[]; slope: number[] | null; clamp: [number, number] | null } | null {
  const node = (op: string, inputs: string[], attrs: [string, Attr][] = []): Node => ({
    id: "act",
    op,
    domain: "",
    attrs: new Map(attrs),
    inputs,
    outputs: ["out"],
  });
  if (options.activation === "relu")
    return { node: node("Relu", [input]), constants: [], slope: null, clamp: [0, Number.POSITIVE_INFINITY] };
  if (options.activation === "clip") {
    const [lo, hi] = [float32(-random.uniform(0, 0.5)), float32(random.uniform(0, 1))];
    const constants = [value("lo", [], { data: Float32Array.of(lo) }), value("hi", [], { data: Float32Array.of(hi) })];
    return { node: node("Clip", [input, "lo", "hi"]), constants, slope: null, clamp: [lo, hi] };
  }
  if (options.activation === "leaky") {
    const alpha = options.ties ? 0.25 : float32(random.uniform(0.01, 0.5));
    return {
      node: node("LeakyRelu", [input], [["alpha", alpha]]),
      constants: [],
      slope: new Array<number>(s.channels).fill(alpha),
      clamp: null,
    };
  }
  if (options.activation === "prelu") {
    const perChannel = s.out.length >= 2 && (s.op !== "MatMul" || s.out.length === 2);
    const slope = Array.from({ length: perChannel ? s.channels : 1 }, () => (options.ties ? 0.5 : float32(random.uniform(-0.2, 0.9))));
    const shape = perChannel ? [s.channels, ...new Array<number>(s.out.length - 2).fill(1)] : [1];
    const constants = [value("slope", shape, { data: Float32Array.from(slope) })];
    return {
      node: node("PRelu", [input, "slope"]),
      constants,
      slope: perChannel ? slope : new Array<number>(s.channels).fill(slope[0]!),
      clamp: null,
    };
  }
  return null;
}

/** The numbers of a layer: operands, bias and grids. */
interface Numerics {
  readonly w: Weights;
  readonly a: readonly number[];
  readonly aEncoding: Encoding;
  readonly outEncoding: Encoding;
  readonly bias: Float32Array;
}

/** Scales that spread the outputs over their grid; ties: powers of two, or 49 times one. */
function numericsOf(options: CaseOptions, s: Skeleton, seed: number, random: Pcg32): Numerics {
  const w = weightsOf(options, s, random);
  const aGrid = gridOf(options.aType);
  const outGrid = gridOf(options.outType);
  const aZero = random.integer(aGrid.qmin, aGrid.qmax);
  const sx = scaleAround(2 / (aGrid.qmax - aGrid.qmin), options.ties, random);
  const a = codes(options.aType, size(s.a), random);
  const depth = Math.max(1, s.pairs(0).length);
  const weightSpread = Math.sqrt(w.data.reduce((sum, x) => sum + x * x, 0) / w.data.length) || 1;
  const spread = sx * ((aGrid.qmax - aGrid.qmin) / 3) * weightSpread * Math.sqrt(depth) * options.alpha;
  const about = (spread * 3) / (outGrid.qmax - outGrid.qmin);
  const fortyNinth = options.ties && seed % 3 === 0 && seed % 2 === 0;
  const sy = fortyNinth ? float32(2 ** Math.round(Math.log2(about / 49)) * 49) : scaleAround(about, options.ties, random);
  const bias = Float32Array.from({ length: s.channels }, () =>
    options.ties ? Math.round(random.uniform(-40, 40)) * (sy / 4) : random.uniform(-2, 2) * spread,
  );
  const outEncoding = perTensor(options.outType, sy, random.integer(outGrid.qmin, outGrid.qmax));
  return { w, a, aEncoding: perTensor(options.aType, sx, aZero), outEncoding, bias };
}

/** Where the bias goes: nowhere, the operator's own input, or an Add behind it. */
function biasPlace(options: CaseOptions, s: Skeleton): "none" | "own" | "add" {
  return options.bias === "own" && s.op === "MatMul" ? "none" : options.bias;
}

function addendShape(s: Skeleton): number[] {
  if (s.op === "MatMul" && s.b.length === 1) return [1];
  return s.op.startsWith("Conv") ? [s.channels, ...new Array<number>(s.out.length - 2).fill(1)] : [s.channels];
}

function nodesOf(options: CaseOptions, s: Skeleton, seed: number, activation: ReturnType<typeof activationNode>): Node[] {
  const place = biasPlace(options, s);
  const sum = activation ? "sum" : "out";
  const inputs = ["a", "b", ...(place === "own" ? ["bias"] : [])];
  const nodes: Node[] = [{ id: "dot1", op: s.op, domain: "", attrs: new Map(s.attrs), inputs, outputs: [place === "add" ? "dot" : sum] }];
  const addends = seed % 2 === 0 ? ["dot", "bias"] : ["bias", "dot"];
  if (place === "add") nodes.push({ id: "add", op: "Add", domain: "", attrs: new Map(), inputs: addends, outputs: [sum] });
  if (activation) nodes.push(activation.node);
  return nodes;
}

/** A layer of the given kind. The seed names everything random. */
export function makeCase(options: CaseOptions, seed: number): DotCase {
  const random = createPcg32(seed, 7);
  const s = skeletonOf(options, random);
  const numbers = numericsOf(options, s, seed, random);
  const activation = activationNode(options, s, "sum", random);
  const nodes = nodesOf(options, s, seed, activation);
  const computed = options.computed && !s.op.startsWith("Conv");
  const { w, a, aEncoding, outEncoding, bias } = numbers;
  const values = [
    value("a", s.a, { encoding: aEncoding }),
    value("b", s.b, { encoding: w.encoding, ...(computed ? {} : { data: w.data }) }),
    value("bias", biasPlace(options, s) === "own" ? [s.channels] : addendShape(s), { data: bias }),
    value("dot", s.out),
    value("sum", s.out),
    value("out", s.out, { encoding: outEncoding }),
    ...(activation?.constants ?? []),
  ];
  const graph: Graph = {
    name: `${options.kind}-${seed}`,
    opsets: new Map([["", 17]]),
    nodes,
    values: new Map(values.map((each) => [each.id, each])),
    inputs: computed ? ["a", "b"] : ["a"],
    outputs: ["out"],
  };
  const inputs = new Map<string, Numbers>([["a", { dims: s.a, data: Float64Array.from(a) }]]);
  if (computed) inputs.set("b", { dims: s.b, data: Float64Array.from(w.codes) });
  const oracle = oracleOf(options, s, numbers, activation);
  return { graph, layer: { nodes, inputs: graph.inputs, outputs: ["out"], island: false }, inputs, oracle, size: size(s.out) };
}

function oracleOf(options: CaseOptions, s: Skeleton, numbers: Numerics, activation: ReturnType<typeof activationNode>): OracleLayer {
  const { w, a, aEncoding, outEncoding, bias } = numbers;
  const { lpbq, scale } = w.encoding;
  const { qmin, qmax } = gridOf(outEncoding.type);
  return {
    terms: (out): Term[] =>
      s.pairs(out).map(([i, j]) => ({ x: a[i]! - aEncoding.zeroPoint[0]!, w: w.centred[j]!, scale: lpbq ? w.channelOf(j) : w.groupOf(j) })),
    channel: s.outChannel,
    sx: aEncoding.scale[0]!,
    weightScale: Array.from(lpbq ? lpbq.channelScale : scale),
    alpha: s.op === "Gemm" ? options.alpha : 1,
    bias: biasPlace(options, s) === "none" ? [] : [Array.from(bias)],
    slope: activation?.slope ?? null,
    clamp: activation?.clamp ?? null,
    out: { scale: [outEncoding.scale[0]!], zeroPoint: [outEncoding.zeroPoint[0]!], qmin, qmax },
  };
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
    kind,
    granularity,
    activation,
    computed,
    aType: pick<ElementType>(["int8", "uint8", "uint8", "uint4", "int16", "uint16"]),
    bType: granularity === "lpbq" ? "int4" : pick<ElementType>(computed ? ["int8", "uint8", "uint16"] : [...narrow, "uint4", "int16"]),
    outType: pick<ElementType>(["int8", "uint8", "uint16", "int4"]),
    asymmetric: computed || (granularity !== "lpbq" && random.integer(0, 1) === 1),
    bias: pick(["none", "own", "add"]),
    ties: seed % 3 === 0,
    alpha,
  };
}
