/** Operators that come with the core: what quantized convolutional networks are made of, and no other. */
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { batchNormalization } from "./batchNormalization.ts";
import { clip } from "./clip.ts";
import { CONVOLUTIONS } from "./conv.ts";
import { PRODUCTS } from "./matmul.ts";
import type { OpDef } from "./op.ts";
import { POOLS } from "./pools.ts";
import { QUANTIZERS } from "./quantize.ts";
import { REDUCTIONS } from "./reduce.ts";
import { RESHAPES } from "./reshape.ts";

export const CORE_OPS: readonly OpDef[] = [
  ...CONVOLUTIONS,
  ...PRODUCTS,
  ...ARITHMETIC,
  ...ACTIVATIONS,
  clip,
  ...REDUCTIONS,
  ...POOLS,
  batchNormalization,
  ...RESHAPES,
  ...QUANTIZERS,
];
