/** Random quantized graphs as files have them: one list of layers, written with operators on codes or between quantizers and dequantizers. */
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { type Draft, dequantize, emit, type Form, MS, operands, pick, randomGrid, result, sizeOf } from "./quantizedDraft.ts";
import { LAYERS } from "./randomLayers.ts";

function draftOf(seed: number, form: Form): Draft {
  const random = createPcg32(seed, form === "QDQ" ? 71 : 70);
  const b = new GraphBuilder(`${form} ${seed}`, 13).domain(MS, 1);
  return { random, b, form, type: random.float() < 0.6 ? "uint8" : "int8", ties: seed % 3 === 0, made: [], count: 0 };
}

export interface RandomGraph {
  readonly graph: Graph;
  /** The same with every tensor of codes an output, in topological order. */
  readonly exposed: Graph;
  readonly codes: readonly string[];
  /** What leaf codes are called once their dequantizer, an output, is folded. */
  readonly leaves: ReadonlyMap<string, string>;
  readonly input: readonly number[];
}

/** A graph of `steps` layers, deterministic in seed and form; a third of the seeds has scales that tie. */
export function randomQuantized(seed: number, form: Form, steps: number): RandomGraph {
  const draft = draftOf(seed, form);
  const dims = pick(draft.random, [
    [1, 3, 9, 7],
    [2, 4, 6, 5],
    [1, 8, 12],
    [1, 6, 8],
    [3, 16],
  ]);
  draft.b.input("x", dims);
  const first = result(draft, dims, randomGrid(draft, -5));
  emit(draft, "QuantizeLinear", ["x", first.scale, first.zero], first.id);
  for (let i = 0; i < steps; i++) {
    const from = pick(draft.random, draft.made.slice(-3));
    const layers = LAYERS.filter(({ takes }) => takes(from));
    if (sizeOf(from.dims) <= 4000) pick(draft.random, layers).add(draft, from);
  }
  const codes = draft.made.map(({ id }) => id);
  const read = new Set(draft.b.build().nodes.flatMap(({ inputs }) => inputs));
  const leaves = new Map(draft.made.filter(({ id }) => !read.has(id)).map((leaf) => [leaf.id, dequantize(draft, operands(leaf))]));
  draft.b.output(...leaves.values());
  const graph = draft.b.build();
  return { graph, exposed: { ...graph, outputs: codes }, codes, leaves, input: dims };
}
