/** All that src/full.ts loads beyond the core, in one file of dist. */
export { FORMS } from "./forms/all.ts";
export { RECURRENT_KERNELS } from "./kernels/recurrent.ts";
export { OPS } from "./ops/all.ts";
export * as floats from "./ops/floats.ts";
export { closeSubgraphs } from "./passes/closeSubgraphs.ts";
export { foldBatchNorm } from "./passes/foldBatchNorm.ts";
export { foldQdq } from "./passes/foldQdq.ts";
