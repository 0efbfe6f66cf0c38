/** Random RNN, GRU and LSTM graphs of one node, with feeds: every direction, layout, optional input and gate function. */
import type { Encoding } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Attr, Graph } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const FUNCTIONS = [
  "Sigmoid",
  "Tanh",
  "Relu",
  "HardSigmoid",
  "Elu",
  "Softsign",
  "Softplus",
  "LeakyRelu",
  "ScaledTanh",
  "Affine",
  "ThresholdedRelu",
];
const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
const EACH = { RNN: 1, GRU: 2, LSTM: 3 } as const;

export interface CellCase {
  readonly title: string;
  readonly graph: Graph;
  readonly feeds: Readonly<
    Record<string, { readonly type: "float32" | "int32"; readonly dims: readonly number[]; readonly data: readonly number[] }>
  >;
}

export interface CellOptions {
  /** What a peer does not do is left out: layout 1, functions other than the usual ones. */
  readonly plain?: boolean;
  /** Weights, biases and states as graph inputs. */
  readonly computed?: boolean;
  /** Sequence lengths as a graph input. */
  readonly lengths?: boolean;
  /** Encodings on everything: weights per channel, activations of 8 or 16 bit. */
  readonly encoded?: boolean;
}

export function randomCell(seed: number, options: CellOptions = {}): CellCase {
  const random = createPcg32(seed, 77);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform(0, list.length))]!;
  const chance = (p: number): boolean => random.uniform(0, 1) < p;
  const op = pick(["RNN", "GRU", "LSTM"] as const);
  const direction = pick(["forward", "reverse", "bidirectional"] as const);
  const directions = direction === "bidirectional" ? 2 : 1;
  const layout = !options.plain && chance(0.3) ? 1 : 0;
  const steps = pick([1, 2, 3, 5, 9]);
  const batch = pick([1, 1, 2, 3]);
  const width = pick([1, 3, 4, 7, 16, 33]);
  const hidden = pick([1, 2, 3, 4, 5, 8, 17, 32, 33]);
  const rows = GATES[op] * hidden;
  const builder = new GraphBuilder("cell", 14);
  const feeds: Record<string, { type: "float32" | "int32"; dims: readonly number[]; data: number[] }> = {};
  const numbers = (dims: readonly number[], reach: number): number[] =>
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Math.fround(random.uniform(-reach, reach)));
  const give = (name: string, dims: readonly number[], reach: number, computed: boolean): string => {
    const data = numbers(dims, reach);
    if (!computed) return builder.constant(name, data, dims);
    feeds[name] = { type: "float32", dims, data };
    return builder.input(name, dims);
  };
  const state = layout === 1 ? [batch, directions, hidden] : [directions, batch, hidden];
  const own = options.computed === true;
  const inputs = [
    give("x", layout === 1 ? [batch, steps, width] : [steps, batch, width], 2, true),
    give("w", [directions, rows, width], 1 / Math.sqrt(width), own),
    give("r", [directions, rows, hidden], 1 / Math.sqrt(hidden), own),
    chance(0.7) ? give("b", [directions, 2 * rows], 1, own) : "",
    "",
    chance(0.5) ? give("h", state, 1, own || chance(0.5)) : "",
  ];
  if (chance(0.4)) {
    const lengths = Array.from({ length: batch }, () => pick(Array.from({ length: steps }, (_, i) => i + 1)));
    if (options.lengths) feeds.lens = { type: "int32", dims: [batch], data: lengths };
    inputs[4] = options.lengths ? builder.input("lens", [batch], "int32") : builder.constant("lens", lengths, [batch], "int32");
  }
  if (op === "LSTM") {
    inputs.push(chance(0.5) ? give("c", state, 1, own || chance(0.5)) : "");
    inputs.push(chance(0.4) ? give("p", [directions, 3 * hidden], 1, own) : "");
  }
  while (inputs.at(-1) === "") inputs.pop();
  const attrs: Record<string, Attr> = { direction, hidden_size: hidden };
  if (layout === 1) attrs.layout = 1;
  if (chance(0.3)) attrs.clip = Math.fround(random.uniform(0.2, 1.5));
  if (op === "LSTM" && chance(0.2)) attrs.input_forget = 1;
  if (op === "GRU" && chance(0.5)) attrs.linear_before_reset = 1;
  if (!options.plain && chance(0.5)) {
    const names = Array.from({ length: directions * EACH[op] }, () => pick(FUNCTIONS));
    attrs.activations = names;
    if (chance(0.5)) attrs.activation_alpha = names.map(() => Math.fround(random.uniform(0.1, 1)));
    if (chance(0.5)) attrs.activation_beta = names.map(() => Math.fround(random.uniform(0.1, 1)));
  }
  const outputs = ["y", "yh", ...(op === "LSTM" ? ["yc"] : [])];
  builder.node(op, inputs, { id: "cell", outputs, attrs });
  builder.output(...outputs);
  if (options.encoded) {
    const bits = pick([8, 16] as const);
    for (const id of ["x", "h", "c", "y", "yh", "yc"])
      if (id in feeds || outputs.includes(id)) builder.encoding(id, activation(bits, id === "x" ? 4 : 3));
    for (const id of ["h", "c"]) if (inputs.includes(id) && !(id in feeds)) builder.encoding(id, activation(bits, 3));
    for (const id of ["w", "r"]) if (!own) builder.encoding(id, { ...weight(directions * rows), ...(directions > 1 ? weight(1) : {}) });
  }
  const title = `seed ${seed}: ${op} ${direction} layout ${layout}, ${steps} steps of ${batch} x ${width}, ${hidden} units, inputs ${inputs.join(" ")}, ${JSON.stringify(attrs)}`;
  return { title, graph: builder.build(), feeds };
}

function activation(bits: 8 | 16, reach: number): Encoding {
  const scale = Math.fround(reach / 2 ** bits);
  return {
    type: `uint${bits}`,
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(2 ** (bits - 1) - 3),
    axis: null,
    blockSize: null,
    blockAxis: null,
  };
}

/** Per row of a single direction, else per tensor. */
function weight(rows: number): Encoding {
  const scale = Float32Array.from({ length: rows }, (_, i) => (1 + (i % 7)) / 700);
  return { type: "int8", scale, zeroPoint: new Int32Array(rows), axis: rows > 1 ? 1 : null, blockSize: null, blockAxis: null };
}
