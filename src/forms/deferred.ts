/** The parts of lowering that few layers need and that do not come with the core: whoever meets such a layer without them asks for everything. */
import { notLoaded } from "../plan/notLoaded.ts";

type Rare = typeof import("./rare.ts");

let loaded: Rare | null = null;

/** Only to be called by src/full.ts. */
export function useRare(parts: Rare): void {
  loaded = parts;
}

/** The rare parts. throws ModelError "plan/not-loaded". */
export function rare(): Rare {
  return loaded ?? notLoaded();
}
