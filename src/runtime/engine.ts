/** The engine choice behind a session: kernels that compute right here, and the target asked for. */
import { TARGET_NAMES } from "../numerics/targets.ts";
import type { Target, Variant } from "../plan/plan.ts";
import { checkedChoice } from "./arguments.ts";
import { kernelsFor } from "./kernelSource.ts";
import type { EngineChoice } from "./session.ts";

const VARIANTS: readonly (Variant | "auto")[] = ["auto", "simd", "usdot", "sdot"];

/** The target asked for, checked. throws ModelError "option/target". */
export function checkedTarget(target: Target | undefined): Target {
  return checkedChoice("target", target, TARGET_NAMES, "exact");
}

/** The kernels this engine runs right. throws ModelError "option/variant" when the one asked for is unknown or not exact here. */
export async function engineFor(variant: Variant | "auto" | undefined): Promise<EngineChoice> {
  const wanted = checkedChoice("variant", variant, VARIANTS, "auto");
  return kernelsFor(wanted);
}
