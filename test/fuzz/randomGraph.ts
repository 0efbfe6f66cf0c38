/** Random quantized graphs: a chain of operators with branches, every value encoded (now and then left to a cluster or an island). */
import { type Encoding, gridOf, perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph, ValueId } from "../../src/graph/graph.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";

interface Made {
  readonly id: ValueId;
  readonly dims: readonly number[];
}

/** State of one graph under construction. */
interface Draft {
  readonly b: GraphBuilder;
  readonly random: Pcg32;
  readonly bits: 8 | 16;
  readonly tieHeavy: boolean;
  readonly made: Made[];
  count: number;
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const pick = <T>(random: Pcg32, list: readonly T[]): T => list[random.integer(0, list.length - 1)]!;
const chance = (random: Pcg32, share: number): boolean => random.float() < share;

/** Scales: powers of two and small multiples of them where ties are wanted, anything else otherwise. */
function scale(draft: Draft, around: number): number {
  if (draft.tieHeavy) return 2 ** Math.round(Math.log2(around)) * pick(draft.random, [1, 1, 0.5, 0.25, 3, 1 / 7]);
  return around * draft.random.uniform(0.4, 2.5);
}

function activation(draft: Draft, range: number): Encoding {
  const types: readonly ElementType[] = draft.bits === 16 ? ["uint16", "int16"] : ["uint8", "uint8", "int8", "uint4"];
  const type = pick(draft.random, types);
  const { qmin, qmax } = gridOf(type);
  const zero = chance(draft.random, 0.3) ? Math.max(0, qmin) : draft.random.integer(qmin, qmax);
  return perTensor(type, scale(draft, range / (qmax - qmin)), zero);
}

function weight(draft: Draft, dims: readonly number[], channelAxis: number, blockAxis: number | null, reach: number): ValueId {
  const { random, b } = draft;
  const type = pick(random, ["int8", "int8", "int4", "uint8"] as const);
  const { qmin, qmax } = gridOf(type);
  const channels = dims[channelAxis]!;
  const depth = blockAxis === null ? 0 : dims[blockAxis]!;
  const blocked = blockAxis !== null && depth % 4 === 0 && depth > 4 && type !== "uint8" && chance(random, 0.3);
  const perChannel = blocked || chance(random, 0.6);
  const blocks = blocked ? depth / 4 : 1;
  const count = perChannel ? channels * blocks : 1;
  const zero = type === "uint8" ? random.integer(100, 150) : 0;
  const lpbq = blocked && chance(random, 0.5);
  const channelScale = Float32Array.from({ length: channels }, () => scale(draft, reach / qmax));
  const blockInt = Uint16Array.from({ length: count }, () => random.integer(1, 16));
  const channelFirst = blockAxis === null || channelAxis < blockAxis;
  const channelOf = (i: number): number => (channelFirst ? Math.floor(i / blocks) : i % channels);
  const scales = Float32Array.from({ length: count }, (_, i) =>
    lpbq ? channelScale[channelOf(i)]! * blockInt[i]! : scale(draft, reach / qmax),
  );
  const encoding: Encoding = {
    type,
    scale: scales,
    zeroPoint: new Int32Array(count).fill(zero),
    axis: perChannel ? channelAxis : null,
    blockSize: blocked ? 4 : null,
    blockAxis: blocked ? blockAxis : null,
    ...(lpbq ? { lpbq: { channelScale, blockInt } } : {}),
  };
  const id = `w${draft.count++}`;
  const largest = Math.max(...scales);
  b.constant(
    id,
    Float32Array.from({ length: size(dims) }, () => random.integer(qmin, qmax) * largest * random.float()),
    dims,
  );
  b.encoding(id, encoding);
  return id;
}

function bias(draft: Draft, channels: number): ValueId {
  const id = `b${draft.count++}`;
  draft.b.constant(
    id,
    Float32Array.from({ length: channels }, () => draft.random.uniform(-1, 1)),
    [channels],
  );
  return id;
}

/** Adds a node; its output is encoded for the given range unless `open`. */
function add(
  draft: Draft,
  op: string,
  inputs: readonly ValueId[],
  dims: readonly number[],
  range: number,
  attrs: Record<string, number | string | number[]> = {},
  open = false,
): Made {
  const id = `v${draft.count++}`;
  draft.b.node(op, inputs, { outputs: [id], attrs });
  if (!open) draft.b.encoding(id, activation(draft, range));
  const made = { id, dims };
  if (!open) draft.made.push(made);
  return made;
}

function activationAfter(draft: Draft, from: Made, range: number): Made {
  const kind = pick(draft.random, ["Relu", "Clip", "LeakyRelu", "PRelu", "HardSwish", "Sigmoid"] as const);
  if (kind === "Clip") {
    const lo = `c${draft.count++}`;
    const hi = `c${draft.count++}`;
    draft.b.constant(lo, [-0.25 * range], []).length;
    draft.b.constant(hi, [0.6 * range], []).length;
    return add(draft, "Clip", [from.id, lo, hi], from.dims, range);
  }
  if (kind === "PRelu") {
    const slope = `c${draft.count++}`;
    const channels = from.dims[1] ?? 1;
    const dims = [channels, ...from.dims.slice(2).map(() => 1)];
    draft.b.constant(
      slope,
      Float32Array.from({ length: channels }, () => draft.random.uniform(-0.3, 0.9)),
      dims,
    );
    return add(draft, "PRelu", [from.id, slope], from.dims, range);
  }
  return add(draft, kind, [from.id], from.dims, range, kind === "LeakyRelu" ? { alpha: draft.random.uniform(0.01, 0.5) } : {});
}

function conv(draft: Draft, x: Made): Made {
  const { random } = draft;
  const [batch, channels, ...spatial] = x.dims as [number, number, ...number[]];
  const depthwise = chance(random, 0.3);
  const groups = depthwise ? channels : channels % 2 === 0 && chance(random, 0.3) ? 2 : 1;
  const out = depthwise ? channels : groups * random.integer(1, 9);
  const kernel = spatial.map((extent) => random.integer(1, Math.min(3, extent)));
  const strides = spatial.map(() => random.integer(1, 2));
  const pads = [...spatial, ...spatial].map(() => random.integer(0, 1));
  const dims = [
    batch,
    out,
    ...spatial.map((extent, i) => Math.floor((extent + pads[i]! + pads[i + spatial.length]! - kernel[i]!) / strides[i]!) + 1),
  ];
  const w = weight(draft, [out, channels / groups, ...kernel], 0, groups === 1 ? 1 : null, 0.4);
  const inputs = chance(random, 0.7) ? [x.id, w, bias(draft, out)] : [x.id, w];
  const fused = chance(random, 0.5);
  const made = add(draft, "Conv", inputs, dims, 6, { group: groups, kernel_shape: kernel, strides, pads }, fused);
  return fused ? activationAfter(draft, made, 6) : made;
}

function matmul(draft: Draft, x: Made): Made {
  const k = x.dims[x.dims.length - 1]!;
  const n = draft.random.integer(1, 17);
  const w = weight(draft, [k, n], 1, 0, 0.3);
  const dims = [...x.dims.slice(0, -1), n];
  const made = add(draft, "MatMul", [x.id, w], dims, 6, {}, true);
  return add(draft, "Add", [made.id, bias(draft, n)], dims, 6);
}

function selfAttention(draft: Draft, x: Made): Made {
  const rank = x.dims.length;
  const perm = x.dims.map((_, i) => (i < rank - 2 ? i : rank * 2 - 3 - i));
  const turned = add(
    draft,
    "Transpose",
    [x.id],
    perm.map((axis) => x.dims[axis]!),
    4,
    { perm },
  );
  return add(draft, "MatMul", [x.id, turned.id], [...x.dims.slice(0, -1), x.dims[rank - 2]!], 12);
}

function pool(draft: Draft, x: Made): Made {
  const [batch, channels, ...spatial] = x.dims as [number, number, ...number[]];
  const op = pick(draft.random, ["MaxPool", "AveragePool", "GlobalAveragePool"] as const);
  if (op === "GlobalAveragePool") return add(draft, op, [x.id], [batch, channels, ...spatial.map(() => 1)], 3);
  const kernel = spatial.map((extent) => Math.min(2, extent));
  const dims = [batch, channels, ...spatial.map((extent, i) => Math.floor((extent - kernel[i]!) / 2) + 1)];
  return add(draft, op, [x.id], dims, 3, { kernel_shape: kernel, strides: spatial.map(() => 2) });
}

function elementwise(draft: Draft, x: Made): Made {
  const { random } = draft;
  const mates = draft.made.filter(({ dims }) => dims.length === x.dims.length && dims.every((dim, i) => dim === x.dims[i] || dim === 1));
  const op = pick(random, ["Add", "Sub", "Mul", "Div", "Max"] as const);
  const fused = chance(random, 0.3);
  const made = add(draft, op, [x.id, pick(random, mates).id], x.dims, 5, {}, fused);
  return fused ? activationAfter(draft, made, 5) : made;
}

function unary(draft: Draft, x: Made): Made {
  const op = pick(draft.random, [
    "Sigmoid",
    "Tanh",
    "Relu",
    "HardSwish",
    "Exp",
    "Neg",
    "Abs",
    "Erf",
    "Elu",
    "HardSigmoid",
    "Softplus",
    "Sqrt",
  ] as const);
  return add(draft, op, [x.id], x.dims, 3);
}

function movement(draft: Draft, x: Made): Made {
  const kind = pick(draft.random, ["Flatten", "Transpose", "Concat", "Identity"] as const);
  if (kind === "Flatten") return add(draft, "Flatten", [x.id], [x.dims[0]!, size(x.dims.slice(1))], 4);
  if (kind === "Concat") {
    const axis = x.dims.length > 1 ? 1 : 0;
    return add(
      draft,
      "Concat",
      [x.id, x.id],
      x.dims.map((dim, i) => (i === axis ? 2 * dim : dim)),
      4,
      { axis },
    );
  }
  if (kind === "Identity") return add(draft, "Identity", [x.id], x.dims, 4);
  const perm = x.dims.map((_, i) => i).sort(() => (chance(draft.random, 0.5) ? 1 : -1));
  return add(
    draft,
    "Transpose",
    [x.id],
    perm.map((axis) => x.dims[axis]!),
    4,
    { perm },
  );
}

function normalize(draft: Draft, x: Made): Made {
  const op = pick(draft.random, ["Softmax", "ReduceMean", "Cluster"] as const);
  const axis = x.dims.length - 1;
  if (op === "Softmax") return add(draft, "Softmax", [x.id], x.dims, 1, { axis });
  if (op === "ReduceMean") {
    const axes = `c${draft.count++}`;
    draft.b.constant(axes, [axis], [1], "int64");
    return add(draft, "ReduceMean", [x.id, axes], [...x.dims.slice(0, -1), 1], 3, { keepdims: 1 });
  }
  const open = add(draft, "Exp", [x.id], x.dims, 1, {}, true);
  const sum = add(draft, "Add", [open.id, x.id], x.dims, 1, {}, true);
  return add(draft, "Tanh", [sum.id], x.dims, 2);
}

/** A graph of `nodes` steps, deterministic in `seed`. */
export function randomGraph(seed: number, nodes: number): Graph {
  const random = createPcg32(seed, 17);
  const b = new GraphBuilder(`random ${seed}`);
  const draft: Draft = { b, random, bits: chance(random, 0.25) ? 16 : 8, tieHeavy: seed % 3 === 0, made: [], count: 0 };
  const dims = pick(random, [
    [1, 3, 9, 7],
    [2, 4, 5, 5],
    [1, 8, 12],
    [1, 6, 8],
    [3, 16],
  ]);
  b.input("x", dims);
  b.encoding("x", activation(draft, 4));
  draft.made.push({ id: "x", dims });
  for (let i = 0; i < nodes; i++) {
    const recent = draft.made.slice(-3);
    const x = pick(random, recent);
    if (size(x.dims) > 4000) continue;
    const spatial = x.dims.length === 3 || x.dims.length === 4;
    const kinds = spatial
      ? [conv, conv, conv, pool, matmul, selfAttention, elementwise, unary, movement, normalize]
      : [matmul, matmul, elementwise, unary, movement, normalize];
    pick(random, kinds)(draft, x);
  }
  b.output(draft.made[draft.made.length - 1]!.id);
  if (draft.made.length > 3) b.output(draft.made[draft.made.length - 2]!.id);
  return b.build();
}
