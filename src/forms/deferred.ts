/** The parts of lowering that few layers need and that do not come with the core: whoever meets such a layer without them asks for everything. */
import { modelError } from "../errors.ts";

type Rare = typeof import("./rare.ts");

/** Code of the error that says: load everything and ask again. */
export const NO_FORM = "plan/not-loaded";

let loaded: Rare | null = null;

/** Only to be called by src/full.ts. */
export function useRare(parts: Rare): void {
  loaded = parts;
}

/** throws ModelError "plan/not-loaded". */
export function notLoaded(): never {
  throw modelError(NO_FORM, "a layer needs more than the core; create its session with Session.create, which loads it");
}

/** The rare parts. throws ModelError "plan/not-loaded". */
export function rare(): Rare {
  return loaded ?? notLoaded();
}
