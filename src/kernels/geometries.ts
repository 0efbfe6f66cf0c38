/** What each variant's module declares, for plans that are made where it may not run; a test compares them with the modules. */
import type { ModuleGeometry, Variant } from "./variant.ts";

export const GEOMETRIES: Readonly<Record<Variant, ModuleGeometry>> = {
  usdot: { variant: "usdot", signed: false, mr: 6, nr: 8, kr: 4, weightMin: -128 },
  sdot: { variant: "sdot", signed: true, mr: 6, nr: 8, kr: 4, weightMin: -127 },
  simd: { variant: "simd", signed: true, mr: 4, nr: 8, kr: 2, weightMin: -128 },
};
