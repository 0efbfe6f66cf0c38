/** The parts of passes that do not come with the core: src/full.ts loads them before a graph reaches a pass that needs them. */
import { assert } from "../errors.ts";

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
  assert(loaded !== null, "passes are not loaded");
  return loaded;
}
