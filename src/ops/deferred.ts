/** What operators of the core leave to the parts loaded on demand: float semantics (simulation, folding of constants and tables use them,
 *  integer layers do not), and what they say of models they refuse. */

type Floats = typeof import("./floats.ts");

let loaded: Floats | null = null;

/** Thrown past everything that collects issues; loadModel loads everything and starts again. */
export const NOT_LOADED = new Error("internal: float semantics are not loaded");

/** Only to be called by src/full.ts. */
export function useFloats(floats: Floats): void {
  loaded = floats;
}

export function floats(): Floats {
  if (!loaded) throw NOT_LOADED;
  return loaded;
}
