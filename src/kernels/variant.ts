/** Variant: one build of the kernels, and the tile geometry it declares. */

export type Variant = "simd" | "usdot" | "sdot";

/** What the loaded kernel module is: `mr`, `nr`, `kr` of its GEMM tile and the signedness of stored 8-bit activations. */
export interface ModuleGeometry {
  readonly variant: Variant;
  readonly signed: boolean; // stored 8-bit activations
  readonly mr: number;
  readonly nr: number;
  readonly kr: number;
  readonly weightMin: -128 | -127; // smallest packed weight that the dot multiplies exactly on every engine of the variant
}
