/** The error that says: load what goes beyond the core and ask again. */
import { modelError } from "../errors.ts";

export const NOT_PLANNABLE = "plan/not-loaded";

/** throws ModelError "plan/not-loaded". */
export function notLoaded(): never {
  throw modelError(NOT_PLANNABLE, "a layer needs more than the core; create its session with Session.create, which loads it");
}
