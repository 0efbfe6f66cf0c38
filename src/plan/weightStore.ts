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
  /** Puts bytes where they will lie, so that the store need not keep them. */
  readonly place: ((address: number, bytes: Uint8Array) => void) | null;
}

export const NO_BYTES = new Uint8Array(0);

/** Address of the first packed weight: above the null page that kernels use as scratch. */
export const IMAGE_BASE = 1024;
const ALIGN = 64;

export type Make = (address?: number) => ArrayBufferView;

export function createWeightStore(place: WeightStore["place"] = null, base = IMAGE_BASE): WeightStore {
  return { place, base, end: base, sealed: false, size: { weights: 0, shared: 0 }, entries: new Map() };
}

/** The address of `key`, made and stored on first use; undefined when the store is sealed and does not hold it. `make` is told the address where the
 *  bytes will be placed at once. */
export function storeWeights(store: WeightStore, key: string, kind: StoreKind, make: Make): number | undefined {
  const known = store.entries.get(key);
  if (known) return known.address;
  if (store.sealed) return undefined;
  const address = Math.ceil(store.end / ALIGN) * ALIGN;
  const view = make(store.place ? address : undefined);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  store.place?.(address, bytes);
  store.entries.set(key, { address, bytes: store.place ? NO_BYTES : bytes });
  store.size[kind] += bytes.length;
  store.end = address + bytes.length;
  return address;
}
