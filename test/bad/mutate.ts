/** Structure-aware damage to models and encodings: what still decodes, but contradicts itself. Deterministic in its generator. */
import type { Attr, Graph, Node, Value, ValueId } from "../../src/graph/graph.ts";
import type { Pcg32 } from "../../src/numerics/pcg32.ts";
import { OPS } from "../../src/ops/all.ts";
import { type ElementType, newArray } from "../../src/tensor/dtype.ts";

/** A graph under change: the same records as Graph, mutable. */
interface Draft {
  nodes: Node[];
  values: Map<ValueId, Value>;
  inputs: ValueId[];
  outputs: ValueId[];
  opsets: Map<string, number>;
}

const TYPES: readonly ElementType[] = [
  "float32",
  "float64",
  "float16",
  "bool",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "int64",
  "int4",
];
const NAMES = ["__proto__", "constructor", "toString", "", "hasOwnProperty", "x y/ü"];
const EXTENTS = [0, 1, 2, 3, 7, 65536, 2 ** 31, 2 ** 40, 2 ** 53 - 1];
const INTEGERS = [-(2 ** 31), -2, -1, 0, 1, 2, 3, 5, 64, 2 ** 31, 2 ** 53 - 1];
const REALS = [0, -1, 1e-40, 1e30, Number.NaN, Number.POSITIVE_INFINITY, 0.5];

export function pick<T>(random: Pcg32, list: readonly T[]): T {
  return list[random.integer(0, list.length - 1)] as T;
}

function names({ values }: Draft): ValueId[] {
  return [...values.keys()];
}

function changeNode(draft: Draft, random: Pcg32, change: (node: Node) => Partial<Node>): void {
  if (draft.nodes.length === 0) return;
  const at = random.integer(0, draft.nodes.length - 1);
  const node = draft.nodes[at] as Node;
  draft.nodes[at] = { ...node, ...change(node) };
}

function changeValue(draft: Draft, random: Pcg32, constant: boolean, change: (value: Value) => Partial<Value>): void {
  const all = [...draft.values.values()].filter((value) => (value.data !== undefined) === constant);
  if (all.length === 0) return;
  const value = pick(random, all);
  draft.values.set(value.id, { ...value, ...change(value) });
}

function otherAttr(random: Pcg32, attr: Attr | undefined): Attr {
  if (typeof attr === "number") return pick<Attr>(random, [...INTEGERS, ...REALS, "text", [1, 2]]);
  if (!Array.isArray(attr)) return pick<Attr>(random, [1, 0.5, "SAME_UPPER", [1, 1], [0.5]]);
  const list = [...(attr as readonly number[])];
  const kind = random.integer(0, 3);
  if (kind === 0) list.pop();
  else if (kind === 1) list.push(pick(random, INTEGERS));
  else if (list.length > 0) list[random.integer(0, list.length - 1)] = pick(random, INTEGERS);
  return kind === 3 ? (list[0] ?? 1) : list;
}

const ATTRIBUTES = ["axis", "group", "pads", "strides", "dilations", "kernel_shape", "perm", "keepdims", "alpha", "epsilon", "mode", "to"];

function changeAttribute(draft: Draft, random: Pcg32): void {
  changeNode(draft, random, (node) => {
    const attrs = new Map(node.attrs);
    const name = attrs.size > 0 && random.integer(0, 3) > 0 ? pick(random, [...attrs.keys()]) : pick(random, ATTRIBUTES);
    if (random.integer(0, 4) === 0) attrs.delete(name);
    else attrs.set(name, otherAttr(random, attrs.get(name)));
    return { attrs };
  });
}

function changeInputs(draft: Draft, random: Pcg32): void {
  changeNode(draft, random, (node) => {
    const inputs = [...node.inputs];
    const at = random.integer(0, Math.max(0, inputs.length - 1));
    const kind = random.integer(0, 4);
    if (kind === 0) inputs.splice(at, 1);
    else if (kind === 1) inputs.push(pick(random, names(draft)));
    else if (kind === 2) inputs[at] = pick(random, ["", "nowhere", ...NAMES]);
    else if (kind === 3) inputs.reverse();
    else inputs[at] = pick(random, names(draft));
    return { inputs };
  });
}

function changeOutputs(draft: Draft, random: Pcg32): void {
  changeNode(draft, random, (node) => {
    const kind = random.integer(0, 3);
    if (kind === 0) return { outputs: [] };
    if (kind === 1) return { outputs: [...node.outputs, `more${random.integer(0, 99)}`] };
    if (kind === 2) return { outputs: ["", ...node.outputs] };
    return { outputs: [pick(random, names(draft))] };
  });
}

function changeNodes(draft: Draft, random: Pcg32): void {
  const at = random.integer(0, Math.max(0, draft.nodes.length - 1));
  const kind = random.integer(0, 4);
  if (kind === 0) draft.nodes.splice(at, 1);
  else if (kind === 1) draft.nodes.reverse();
  else if (kind === 2) draft.nodes.push({ ...(draft.nodes[at] as Node), outputs: [`copy${random.integer(0, 99)}`] });
  else
    changeNode(draft, random, () =>
      pick<Partial<Node>>(random, [
        { op: pick(random, OPS).type },
        { domain: "com.microsoft" },
        { op: "NoSuchOp" },
        { id: pick(random, NAMES) },
      ]),
    );
}

function changeConstantShape(draft: Draft, random: Pcg32): void {
  changeValue(draft, random, true, ({ shape, data }) => {
    const dims = (shape ?? []) as number[];
    const kind = random.integer(0, 4);
    if (kind === 0) return { shape: [...dims].reverse() };
    if (kind === 1) return { shape: [data?.length ?? 0] };
    if (kind === 2) return { shape: [0, ...dims], data: newArray("float32", 0), type: "float32" };
    if (kind === 3) return { shape: [...dims, pick(random, EXTENTS)] };
    return { shape: [1, ...dims] };
  });
}

function changeConstantData(draft: Draft, random: Pcg32): void {
  changeValue(draft, random, true, ({ data, type }) => {
    if (random.integer(0, 4) === 0) {
      const other = pick(random, TYPES);
      return { type: other, data: newArray(other, data?.length ?? 0) };
    }
    if (!data || data.length === 0) return {};
    const copy = data.slice();
    const at = random.integer(0, copy.length - 1);
    if (copy instanceof BigInt64Array || copy instanceof BigUint64Array) copy[at] = BigInt(pick(random, INTEGERS));
    else copy[at] = pick(random, type === "float32" ? REALS : INTEGERS);
    return { data: copy };
  });
}

function changePort(draft: Draft, random: Pcg32): void {
  const kind = random.integer(0, 6);
  if (kind === 0) draft.outputs.push(pick(random, [...names(draft), "nowhere"]));
  else if (kind === 1) draft.outputs = [pick(random, names(draft))];
  else if (kind === 2) draft.inputs.push(pick(random, names(draft)));
  else if (draft.inputs.length > 0) {
    const id = pick(random, draft.inputs);
    const value = draft.values.get(id) as Value;
    const shape = [...(value.shape ?? [])];
    if (kind === 3) draft.values.set(id, { ...value, type: pick(random, TYPES) });
    else if (kind === 4)
      draft.values.set(id, { ...value, shape: pick(random, [null, [], [...shape, 1], shape.slice(1), shape.map(() => "N")]) });
    else
      draft.values.set(id, {
        ...value,
        shape: shape.map((dim) => (random.integer(0, 1) ? dim : pick<number | string>(random, [...EXTENTS, "N"]))),
      });
  }
}

function rename(draft: Draft, random: Pcg32): void {
  const from = pick(random, names(draft));
  const to = pick(random, NAMES);
  const name = (id: ValueId): ValueId => (id === from ? to : id);
  draft.nodes = draft.nodes.map((node) => ({ ...node, inputs: node.inputs.map(name), outputs: node.outputs.map(name) }));
  draft.values = new Map([...draft.values.values()].map((value) => [name(value.id), { ...value, id: name(value.id) }]));
  draft.inputs = draft.inputs.map(name);
  draft.outputs = draft.outputs.map(name);
}

/** Quantizes and dequantizes a value, its readers reading the copy, with parameters that need not be sound. */
function insertPair(draft: Draft, random: Pcg32): void {
  const id = pick(random, names(draft));
  const tag = `${random.integer(0, 9999)}`;
  const parameters = (which: string): ValueId[] => {
    const count = pick(random, [1, 1, 1, 2, 4, 16]);
    const type = pick<ElementType>(random, ["uint8", "uint8", "int8", "int16", "int32", "float32", "int4"]);
    const shape = count === 1 && random.integer(0, 1) ? [] : [count];
    const scale = `${which}scale${tag}`;
    const zero = `${which}zero${tag}`;
    const bad = random.integer(0, 3) === 0;
    draft.values.set(scale, { id: scale, type: "float32", shape, data: new Float32Array(count).fill(bad ? pick(random, REALS) : 0.02) });
    draft.values.set(zero, { id: zero, type, shape, data: newArray(type, count) });
    return [random.integer(0, 9) ? scale : pick(random, names(draft)), ...(random.integer(0, 4) ? [zero] : [])];
  };
  const first = parameters("q");
  const attrs = new Map<string, Attr>(random.integer(0, 2) ? [] : [["axis", pick(random, [-1, 0, 1, 5])]]);
  const quantize: Node = { id: `Q${tag}`, op: "QuantizeLinear", domain: "", attrs, inputs: [id, ...first], outputs: [`codes${tag}`] };
  const second = random.integer(0, 1) ? first : parameters("d");
  const dequantize: Node = {
    ...quantize,
    id: `D${tag}`,
    op: "DequantizeLinear",
    inputs: [`codes${tag}`, ...second],
    outputs: [`back${tag}`],
  };
  draft.nodes = draft.nodes.map((node) => ({ ...node, inputs: node.inputs.map((read) => (read === id ? `back${tag}` : read)) }));
  draft.nodes.push(quantize, ...(random.integer(0, 9) ? [dequantize] : []));
}

const CHANGES: readonly ((draft: Draft, random: Pcg32) => void)[] = [
  changeAttribute,
  changeAttribute,
  changeInputs,
  changeOutputs,
  changeNodes,
  changeConstantShape,
  changeConstantData,
  changePort,
  rename,
  insertPair,
  insertPair,
  (draft, random) => draft.opsets.set("", pick(random, [7, 10, 12, 13, 17, 21, 22])),
];

/** `graph` with one to three changes. */
export function damagedGraph(graph: Graph, random: Pcg32): Graph {
  const { nodes, values, inputs, outputs, opsets } = graph;
  const draft: Draft = { nodes: [...nodes], values: new Map(values), inputs: [...inputs], outputs: [...outputs], opsets: new Map(opsets) };
  for (let left = random.integer(1, 3); left > 0 && draft.nodes.length > 0; left--) pick(random, CHANGES)(draft, random);
  return { ...graph, ...draft };
}

const WORDS: readonly unknown[] = [
  0,
  -1,
  1,
  8,
  16,
  3,
  1e300,
  -0.5,
  "",
  "False",
  "INT",
  "FLOAT",
  "PER_CHANNEL",
  null,
  [],
  {},
  [[1]],
  true,
  "__proto__",
];

/** `json` with one to three entries replaced, dropped, repeated or renamed. */
export function damagedJson(json: unknown, random: Pcg32): unknown {
  const copy = structuredClone(json);
  for (let left = random.integer(1, 3); left > 0; left--) damageOnce(copy, random);
  return copy;
}

function damageOnce(root: unknown, random: Pcg32): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = pick(random, keys);
    const below = at[key];
    if (typeof below === "object" && below !== null && random.integer(0, 7) > 0) {
      at = below as Record<string, unknown>;
      continue;
    }
    const kind = random.integer(0, 3);
    if (kind === 0) Array.isArray(at) ? at.pop() : delete at[key];
    else if (kind === 1 && Array.isArray(at)) at.push(structuredClone(below));
    else if (typeof below === "number" && kind === 2) at[key] = below * pick(random, [-1, 2, 1e-45, 1e40, 0.5]);
    else at[key] = key === "name" ? pick(random, NAMES) : structuredClone(pick(random, WORDS));
    return;
  }
}
