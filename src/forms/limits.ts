/** What kernels cannot walk (too many axes after merging) becomes an error that names the node. */
import { modelError } from "../errors.ts";

/** Runs `emit`. throws ModelError "plan/no-kernel" where a descriptor writer refuses with a RangeError. */
export function withinLimits(node: string, emit: () => void): void {
  try {
    emit();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw modelError("plan/no-kernel", `node '${node}': no kernel walks its tensors: ${error.message}`, { node });
  }
}
