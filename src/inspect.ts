/** Inspect: what a model is and how it would run, as a plain record, before anything runs. */

import { isPerTensor } from "./encodings/encoding.ts";
import { ModelError } from "./errors.ts";
import { loadFull } from "./full.ts";
import type { Graph } from "./graph/graph.ts";
import { isActivationEncoding } from "./graph/query.ts";
import type { InspectReport, OperatorReport, RefusedReport } from "./inspectReport.ts";
import { readPanel } from "./kernels/epiloguePromotion.ts";
import type { Model, ValueInfo } from "./model.ts";
import { targetRow } from "./numerics/targets.ts";
import { opOf } from "./ops/index.ts";
import { nodeMacs } from "./passes/macs.ts";
import { type FormedLayer, type Prepared, prepare } from "./passes/prepare.ts";
import type { Plan, Target, Variant } from "./plan/plan.ts";
import { createWeightStore } from "./plan/weightStore.ts";
import { withinMemory } from "./runtime/outOfMemory.ts";
import { type CompileOptions, compile } from "./session/compile.ts";
import { checkedTarget, engineFor } from "./session/engine.ts";
import { checkedModel, checkShapes } from "./session/modelArguments.ts";
import { choosePanel, regionOf } from "./session/promote.ts";

export interface InspectOptions {
  readonly target?: Target;
  readonly variant?: Variant | "auto";
  readonly shapes?: Record<string, readonly number[]>;
}

/** What `bitexact inspect` reports. Symbolic dimensions without a given shape count as 1. throws ModelError. */
export async function inspectModel(model: Model, options: InspectOptions = {}): Promise<InspectReport> {
  const { graph, warnings } = checkedModel(model);
  await loadFull();
  const engine = await engineFor(options.variant);
  const target = checkedTarget(options.target, graph);
  checkShapes(options.shapes ?? {});
  const store = createWeightStore();
  const prepared = withinMemory(() => prepare(graph, { ...symbolicAsOne(graph), ...options.shapes }));
  const { plan, refused } = withinMemory(() => planned(prepared, { target, module: engine.geometry, store }));
  const named = (code: string): string[] => warnings.filter((issue) => issue.code === code).map((issue) => issue.tensor ?? "");
  return {
    schema: "bitexact-inspect/1",
    target,
    targetFrom: options.target ? "option" : graph.origin === "qoperator" ? "qoperator" : "default",
    variant: engine.geometry.variant,
    inputs: model.inputs.map(portReport),
    outputs: model.outputs.map(portReport),
    operators: operatorReports(prepared, refused),
    refused,
    coverage: coverage(prepared),
    unmatched: { encodings: named("encodings/unmatched"), values: named("encodings/missing") },
    clusters: prepared.layers.filter(({ layer }) => !layer.island && layer.nodes.length > 1).map(groupReport),
    islands: prepared.layers.filter(({ layer }) => layer.island).map(groupReport),
    biases: prepared.layers.flatMap(({ layer, form, data }) => form.facts?.(data, layer, prepared.graph, target).biases ?? []),
    macs: prepared.layers.reduce((sum, { layer }) => sum + layerMacs(prepared.graph, layer.nodes), 0),
    weightBytes: { before: weightBytesBefore(prepared.graph), after: store.size.weights },
    constantBytes: plan?.constants.bytes.length ?? 0,
    arenaBytes: plan?.arena.bytes ?? 0,
    dots: plan ? dotReports(prepared, plan, target) : [],
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  };
}

function symbolicAsOne(graph: Graph): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  for (const id of graph.inputs) {
    const shape = graph.values.get(id)!.shape;
    if (shape?.some((dim) => typeof dim === "string")) shapes[id] = shape.map((dim) => (typeof dim === "number" ? dim : 1));
  }
  return shapes;
}

function portReport({ name, type, shape, encoding }: ValueInfo): InspectReport["inputs"][number] {
  const grid =
    encoding && isPerTensor(encoding) ? { type: encoding.type, scale: encoding.scale[0]!, zeroPoint: encoding.zeroPoint[0]! } : null;
  return { name, type, shape, encoding: grid };
}

interface Planned {
  readonly plan: Plan | null;
  readonly refused: readonly RefusedReport[];
}

/** The plan, or every node that has no kernel. */
function planned(prepared: Prepared, options: CompileOptions): Planned {
  try {
    return { plan: compile(prepared, options), refused: [] };
  } catch (error) {
    if (!(error instanceof ModelError) || error.issues.some(({ code, node }) => code !== "plan/no-kernel" || !node)) throw error;
    return { plan: null, refused: error.issues.map(({ node, message }) => ({ node: node!, message })) };
  }
}

function operatorReports({ layers }: Prepared, refused: readonly RefusedReport[]): OperatorReport[] {
  const without = new Set(refused.map(({ node }) => node));
  const reports = new Map<string, { count: number; forms: Record<string, number> }>();
  for (const { layer, form } of layers) {
    for (const { id, op } of layer.nodes) {
      const report = reports.get(op) ?? { count: 0, forms: {} };
      const runs = without.has(id) ? "refused" : form.name;
      report.count++;
      report.forms[runs] = (report.forms[runs] ?? 0) + 1;
      reports.set(op, report);
    }
  }
  return [...reports].map(([op, report]) => ({ op, ...report })).sort((a, b) => b.count - a.count || a.op.localeCompare(b.op));
}

/** Activations: the float values that enter or leave a layer; those inside one need no encoding. */
function coverage({ graph, layers }: Prepared): InspectReport["coverage"] {
  const ends = new Set([...graph.inputs, ...layers.flatMap(({ layer }) => [...layer.inputs, ...layer.outputs])]);
  const boundary = [...graph.values.values()].filter((value) => ends.has(value.id) && !value.data && value.type === "float32");
  const weights = new Set(
    graph.nodes.flatMap((node) => (opOf(node)?.traits.dot ? [node.inputs[1]!] : [])).filter((id) => graph.values.get(id)?.data),
  );
  const encodedWeights = [...weights].filter((id) => graph.values.get(id)!.encoding);
  return {
    activations: { encoded: boundary.filter(isActivationEncoding).length, total: boundary.length },
    parameters: { encoded: encodedWeights.length, total: weights.size },
  };
}

function groupReport({ layer, form }: FormedLayer): InspectReport["clusters"][number] {
  return { form: form.name, nodes: layer.nodes.map(({ id }) => id), ops: layer.nodes.map(({ op }) => op), outputs: layer.outputs };
}

function layerMacs(graph: Graph, nodes: Graph["nodes"]): number {
  return nodes.reduce((sum, node) => sum + nodeMacs(graph, node), 0);
}

/** Bytes as float32 of the constants, of two axes or more, that operators multiply with. */
function weightBytesBefore(graph: Graph): number {
  const operands = new Set(graph.nodes.flatMap((node) => (opOf(node)?.traits.macs ? node.inputs.slice(1) : [])));
  const weights = [...operands].flatMap((id) => graph.values.get(id) ?? []).filter(({ shape }) => (shape?.length ?? 0) > 1);
  return weights.reduce((sum, { data }) => sum + 4 * (data?.length ?? 0), 0);
}

function dotReports(prepared: Prepared, plan: Plan, target: Target): InspectReport["dots"] {
  return prepared.layers.flatMap(({ layer, form, data }) => {
    const facts = form.facts?.(data, layer, prepared.graph, target);
    if (!facts) return [];
    const names = new Set(layer.nodes.map((node) => node.id));
    const proofs = plan.proofs.filter((proof) => names.has(proof.node));
    const epilogues: Record<string, number> = {};
    for (const proof of proofs) {
      for (let panel = 0; panel < proof.panels; panel++) {
        const { channels } = readPanel(regionOf(plan, proof.epilogueAddress), panel, proof);
        const { choice } = choosePanel(channels);
        epilogues[choice] = (epilogues[choice] ?? 0) + channels.length;
      }
    }
    const { channels } = facts;
    const unproven = channels - proofs.reduce((sum, proof) => sum + proof.channels, 0); // all of most targets, sides of a slope
    const { epilogue } = targetRow(target);
    if (unproven > 0) epilogues[epilogue] = (epilogues[epilogue] ?? 0) + unproven;
    const node = layer.nodes[0]!;
    return [
      {
        node: node.id,
        op: layer.nodes.map(({ op }) => op).join("+"),
        macs: layerMacs(prepared.graph, layer.nodes),
        headroomBits: facts.headroomBits,
        channels,
        epilogues,
      },
    ];
  });
}
