/** Everything beyond the core — operators, forms and kernels that quantized convolutional networks do without — loaded on demand.
 *  Loading adds and never changes: a model that the core serves gives the same plan before and after. */
import { useIntegerFinish } from "./forms/dot/finish.ts";
import { useForms } from "./forms/index.ts";
import type { Graph, Node } from "./graph/graph.ts";
import { useMoreKernels } from "./kernels/instantiate.ts";
import { useFloats } from "./ops/deferred.ts";
import { opOf, useOperators } from "./ops/index.ts";
import { useExpanding, useFolding } from "./passes/prepare.ts";
import { compileKernels } from "./runtime/kernelSource.ts";

let loading: Promise<void> | null = null;

/** All operators, forms and kernels; once per process. */
export function loadFull(): Promise<void> {
  loading ??= load().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load(): Promise<void> {
  const [{ adviceOn, expandOperators, FORMS, floats, foldBatchNorm, integerFinish, OPS }, float, signed, unsigned] = await Promise.all([
    import("./everything.ts"),
    compileKernels("float"),
    compileKernels("rest-signed"),
    compileKernels("rest-unsigned"),
  ]);
  useFloats(floats);
  useFolding(foldBatchNorm);
  useExpanding(expandOperators);
  useOperators(OPS, adviceOn);
  useForms(FORMS);
  useIntegerFinish(integerFinish);
  useMoreKernels({ float, signed, unsigned });
}

/** Loads everything when the graph has an operator that the core does not know, or a node to fold: constants are folded in float. */
export async function loadFor(graph: Graph): Promise<void> {
  if (graph.nodes.some((node) => needsMore(graph, node))) await loadFull();
}

/** The first opset whose operators are read as they are. */
const MODERN_OPSET = 8;

/** The graph of an older opset in today's operators. throws ModelError. */
export async function modernized(graph: Graph): Promise<Graph> {
  if ((graph.opsets.get("") ?? 1) >= MODERN_OPSET) return graph;
  await loadFull();
  return (await import("./everything.ts")).upgradeOpset(graph);
}

function needsMore(graph: Graph, node: Node): boolean {
  const op = opOf(node);
  if (!op) return true;
  return op.traits.boundary === undefined && node.inputs.every((id) => id === "" || graph.values.get(id)?.data !== undefined);
}
