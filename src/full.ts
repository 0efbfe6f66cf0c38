/** Everything beyond the core — operators, forms and kernels that quantized convolutional networks do without — loaded on demand.
 *  Loading adds and never changes: a model that the core serves gives the same plan before and after. */
import { ModelError } from "./errors.ts";
import { useRare } from "./forms/deferred.ts";
import { useForms } from "./forms/index.ts";
import type { Graph, Node } from "./graph/graph.ts";
import { useKernels } from "./kernels/abi.ts";
import { useMoreKernels } from "./kernels/instantiate.ts";
import { NOT_LOADED, useFloats } from "./ops/deferred.ts";
import { isQuantizer, opOf, useOperators } from "./ops/index.ts";
import { rest as loadedRest, useRest } from "./passes/deferred.ts";
import { needsBinding } from "./passes/inferShapes.ts";
import { NOT_PLANNABLE } from "./plan/notLoaded.ts";
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
  const [{ BLOCK_MATMUL_KERNELS, ELEMENTWISE_KERNELS, FORMS, floats, OPS, RECURRENT_KERNELS, rare, rest }, float, signed, unsigned] =
    await Promise.all([import("./everything.ts"), compileKernels("float"), compileKernels("rest-signed"), compileKernels("rest-unsigned")]);
  useFloats(floats);
  useRest(rest);
  useOperators(OPS);
  useKernels({ ...ELEMENTWISE_KERNELS, ...RECURRENT_KERNELS, ...BLOCK_MATMUL_KERNELS });
  useForms(FORMS);
  useRare(rare);
  useMoreKernels({ float, signed, unsigned });
}

/** The pass that turns quantize and dequantize operators into encodings, once it is loaded and they are known; null for a graph without them. */
export async function loadFolding(graph: Graph): Promise<((graph: Graph) => Graph) | null> {
  if (!graph.nodes.some(isQuantizer)) return null;
  const { foldQdq, QUANTIZERS } = await import("./qdq.ts");
  useOperators(QUANTIZERS);
  return foldQdq;
}

/** Loads everything when the graph has an operator that the core does not know, inputs of symbolic shape, float16 values, or a node to fold:
 *  constants are folded in float. */
export async function loadFor(graph: Graph): Promise<void> {
  const half = [...graph.values.values()].some(({ type }) => type === "float16");
  if (half || needsBinding(graph) || graph.nodes.some((node) => needsMore(graph, node))) await loadFull();
}

/** The first opset whose operators are read as they are. */
const MODERN_OPSET = 8;

/** The graph of an older opset in today's operators. throws ModelError. */
export async function modernized(graph: Graph): Promise<Graph> {
  if ((graph.opsets.get("") ?? 1) >= MODERN_OPSET) return graph;
  await loadFull();
  return loadedRest().upgradeOpset(graph);
}

function needsMore(graph: Graph, node: Node): boolean {
  const op = opOf(node);
  if (!op) return true;
  return op.traits.boundary === undefined && node.inputs.every((id) => id === "" || graph.values.get(id)?.data !== undefined);
}

/** What `work` returns; everything is loaded and `work` called again when it asks for more than the core. */
export async function withFull<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    if (error !== NOT_LOADED && !(error instanceof ModelError && error.code === NOT_PLANNABLE)) throw error;
    await loadFull();
    return work();
  }
}
