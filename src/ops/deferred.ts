/** The float semantics that do not come with the core: simulation, folding of constants and tables use them, integer layers do not. */
import { assert } from "../errors.ts";

type Floats = typeof import("./floats.ts");

let loaded: Floats | null = null;

/** Only to be called by src/full.ts. */
export function useFloats(floats: Floats): void {
  loaded = floats;
}

export function floats(): Floats {
  assert(loaded !== null, "float semantics are not loaded");
  return loaded;
}
