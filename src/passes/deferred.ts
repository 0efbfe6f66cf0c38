/** The parts of passes that do not come with the core: whoever needs one without it asks for everything. */
import { NOT_LOADED } from "../ops/deferred.ts";

type Rest = typeof import("./rest.ts");

let loaded: Rest | null = null;

/** Only to be called by src/full.ts. */
export function useRest(parts: Rest): void {
  loaded = parts;
}

/** Null until everything is loaded. */
export function restIfLoaded(): Rest | null {
  return loaded;
}

export function rest(): Rest {
  if (!loaded) throw NOT_LOADED;
  return loaded;
}
