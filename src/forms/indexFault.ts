/** What is said of indices that a run computed and that are out of range. */
import { type ModelError, modelError } from "../errors.ts";
import type { Step } from "../plan/plan.ts";

/** ModelError "run/index-range" of the step whose args `fault` names; clears it. */
export function indexFault(fault: Uint32Array, steps: readonly Step[]): ModelError {
  const node = steps.find(({ args }) => args === fault[0])?.node ?? "";
  fault[0] = 0;
  return modelError("run/index-range", `node '${node}': an index computed in this run is out of range; nothing was returned`, { node });
}
