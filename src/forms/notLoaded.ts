/** What the core throws for layers that need what is loaded on demand. */
import { modelError } from "../errors.ts";

/** Code of the error that says: load everything and ask again. */
export const NOT_LOADED = "plan/not-loaded";

/** throws ModelError "plan/not-loaded". */
export function notLoaded(): never {
  throw modelError(NOT_LOADED, "a layer needs more than the core; create its session with Session.create, which loads it");
}
