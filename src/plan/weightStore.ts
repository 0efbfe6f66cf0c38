/** WeightStore: packed weights of a session at fixed addresses, shared by all its plans. Sealed after the first plan, so that
 *  everything above it stays where it is; later plans that need other packings keep them in their own constants. */

/** Packed weights proper, or what goes with them (epilogue blocks, start values). */
export type StoreKind = "weights" | "shared";

export interface WeightStore {
  readonly base: number;
  end: number;
  sealed: boolean;
  readonly size: Record<StoreKind, number>; // bytes
  readonly entries: Map<string, { readonly address: number; readonly bytes: Uint8Array }>;
}

/** Address of the first packed weight: above the null page that kernels use as scratch. */
export const IMAGE_BASE = 1024;
const ALIGN = 64;

export function createWeightStore(): WeightStore {
  return { base: IMAGE_BASE, end: IMAGE_BASE, sealed: false, size: { weights: 0, shared: 0 }, entries: new Map() };
}

/** The address of `key`, made and stored on first use; undefined when the store is sealed and does not hold it. */
export function storeWeights(store: WeightStore, key: string, kind: StoreKind, make: () => ArrayBufferView): number | undefined {
  const known = store.entries.get(key);
  if (known) return known.address;
  if (store.sealed) return undefined;
  const view = make();
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const address = Math.ceil(store.end / ALIGN) * ALIGN;
  store.entries.set(key, { address, bytes });
  store.size[kind] += bytes.length;
  store.end = address + bytes.length;
  return address;
}
