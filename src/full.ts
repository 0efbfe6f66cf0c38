/** Everything beyond the core — operators, forms and float kernels that quantized convolutional networks do without — loaded on demand.
 *  Loading adds and never changes: a model that the core serves gives the same plan before and after. */
import { useForms } from "./forms/index.ts";
import type { Graph } from "./graph/graph.ts";
import { useFloatKernels } from "./kernels/instantiate.ts";
import { opOf, useOperators } from "./ops/index.ts";
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
  const [{ OPS }, { FORMS }, kernels] = await Promise.all([import("./ops/all.ts"), import("./forms/all.ts"), compileKernels("float")]);
  useOperators(OPS);
  useForms(FORMS);
  useFloatKernels(kernels);
}

/** Loads everything when the graph has an operator that the core does not know. */
export async function loadOperators(graph: Graph): Promise<void> {
  if (graph.nodes.some((node) => !opOf(node))) await loadFull();
}
