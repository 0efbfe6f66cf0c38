/** Every operator. */
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { ATTENTIONS } from "./attention.ts";
import { batchNormalization } from "./batchNormalization.ts";
import { BITS } from "./bits.ts";
import { BLOCK_QUANTIZED } from "./blockQuantized.ts";
import { CASTS } from "./cast.ts";
import { conditional } from "./conditional.ts";
import { convTranspose } from "./convTranspose.ts";
import { CORE_OPS } from "./core.ts";
import { DYNAMIC_QUANTIZERS } from "./dynamicQuantize.ts";
import { EINSUMS } from "./einsum.ts";
import { FUSED } from "./fused.ts";
import { GATHERS } from "./gather.ts";
import { GRIDS } from "./gridSample.ts";
import { INTEGER_PRODUCTS } from "./integerProducts.ts";
import { LINES } from "./lines.ts";
import { LOGIC } from "./logic.ts";
import { LOOPS } from "./loops.ts";
import { LOSSES } from "./losses.ts";
import { MATH } from "./math.ts";
import { SUPPRESSIONS } from "./nonMaxSuppression.ts";
import { NORMALIZATIONS } from "./normalization.ts";
import { OTHER_NORMALIZATIONS } from "./normalizationOther.ts";
import type { OpDef } from "./op.ts";
import { PICKS } from "./picks.ts";
import { OTHER_POOLS } from "./poolsOther.ts";
import { QOPERATORS } from "./qoperator.ts";
import { QOPERATOR_POOLS } from "./qoperatorPools.ts";
import { QUANTIZERS } from "./quantize.ts";
import { REARRANGEMENTS } from "./rearrange.ts";
import { RECURRENTS } from "./recurrent.ts";
import { OTHER_REDUCTIONS } from "./reduceOther.ts";
import { erased } from "./registry.ts";
import { RESIZES } from "./resize.ts";
import { ROIS } from "./roi.ts";
import { SEARCHES } from "./search.ts";
import { SHAPES } from "./shape.ts";
import { SIGNALS } from "./signal.ts";
import { SKIPS } from "./skipNormalization.ts";
import { SOFTMAXES } from "./softmax.ts";
import { SQUEEZES } from "./squeeze.ts";
import { TRIGONOMETRY } from "./trigonometry.ts";
import { UNPOOLS } from "./unpool.ts";

export const OPS: readonly OpDef[] = [
  ...CORE_OPS,
  erased(convTranspose),
  ...SQUEEZES,
  ...OTHER_POOLS,
  ...QUANTIZERS,
  ...ARITHMETIC,
  ...ACTIVATIONS,
  ...OTHER_REDUCTIONS,
  batchNormalization,
  ...MATH,
  ...SOFTMAXES,
  ...NORMALIZATIONS,
  ...OTHER_NORMALIZATIONS,
  ...LOGIC,
  ...SEARCHES,
  ...REARRANGEMENTS,
  ...GATHERS,
  ...SHAPES,
  ...RESIZES,
  ...CASTS,
  ...DYNAMIC_QUANTIZERS,
  ...EINSUMS,
  ...RECURRENTS,
  conditional,
  ...LOOPS,
  ...INTEGER_PRODUCTS,
  ...TRIGONOMETRY,
  ...BITS,
  ...PICKS,
  ...LINES,
  ...LOSSES,
  ...SUPPRESSIONS,
  ...GRIDS,
  ...UNPOOLS,
  ...ROIS,
  ...SIGNALS,
  ...ATTENTIONS,
  ...FUSED,
  ...QOPERATORS,
  ...QOPERATOR_POOLS,
  ...BLOCK_QUANTIZED,
  ...SKIPS,
];
