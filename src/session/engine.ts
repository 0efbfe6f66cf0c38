/** The engine choice behind a session: kernels that compute right here, and the target asked for. */
import type { Graph } from "../graph/graph.ts";
import { TARGET_NAMES } from "../numerics/targets.ts";
import type { Target, Variant } from "../plan/plan.ts";
import { checkedChoice } from "../runtime/arguments.ts";
import { kernelsFor } from "../runtime/kernelSource.ts";
import type { EngineChoice } from "./session.ts";

const VARIANTS: readonly (Variant | "auto")[] = ["auto", "simd", "usdot", "sdot"];

/** The target of a model when none is asked for: a graph in QOperator form means ONNX Runtime's arithmetic. */
export function defaultTarget({ origin }: Pick<Graph, "origin">): Target {
  return origin === "qoperator" ? "ort" : "exact";
}

/** The target asked for, checked, or the graph's own. throws ModelError "option/target". */
export function checkedTarget(target: Target | undefined, graph: Pick<Graph, "origin">): Target {
  return checkedChoice("target", target, TARGET_NAMES, defaultTarget(graph));
}

/** The kernels this engine runs right. throws ModelError "option/variant" when the one asked for is unknown or not exact here. */
export async function engineFor(variant: Variant | "auto" | undefined): Promise<EngineChoice> {
  const wanted = checkedChoice("variant", variant, VARIANTS, "auto");
  return kernelsFor(wanted);
}
