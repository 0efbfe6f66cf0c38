/** What is said of numbers that a run computed and that a kernel found out of range. */
import { type ModelError, modelError } from "../errors.ts";
import type { Step } from "../plan/plan.ts";

/** ModelError "run/index-range" or "run/angle-range" of the step whose args `fault` names; clears it. */
export function indexFault(fault: Uint32Array, steps: readonly Step[]): ModelError {
  const { node = "", kernel = "" } = steps.find(({ args }) => args === fault[0]) ?? {};
  fault[0] = 0;
  if (kernel.startsWith("arcs")) {
    const message = `node '${node}': an angle computed in this run is beyond 2^20 quarter turns, which kernels do not reduce; nothing was returned`;
    return modelError("run/angle-range", message, { node });
  }
  return modelError("run/index-range", `node '${node}': an index computed in this run is out of range; nothing was returned`, { node });
}
