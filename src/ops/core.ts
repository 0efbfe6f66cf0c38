/** Operators that come with the core: what quantized convolutional networks are made of, and no other. */

import { clip } from "./clip.ts";
import { CONVOLUTIONS } from "./conv.ts";
import { LINEAR } from "./linear.ts";
import { PRODUCTS } from "./matmul.ts";
import type { OpDef } from "./op.ts";
import { POOLS } from "./pools.ts";
import { RECTIFIERS } from "./rectifiers.ts";
import { REDUCTIONS } from "./reduce.ts";
import { RESHAPES } from "./reshape.ts";

export const CORE_OPS: readonly OpDef[] = [
  ...CONVOLUTIONS,
  ...PRODUCTS,
  ...LINEAR,
  ...RECTIFIERS,
  clip,
  ...REDUCTIONS,
  ...POOLS,
  ...RESHAPES,
];
