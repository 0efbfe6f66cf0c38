/** All that src/full.ts loads beyond the core, in one file of dist. */
export { FORMS } from "./forms/all.ts";
export * as rare from "./forms/rare.ts";
export { BLOCK_MATMUL_KERNELS } from "./kernels/blockMatmul.ts";
export { ELEMENTWISE_KERNELS } from "./kernels/elementwise.ts";
export { RECURRENT_KERNELS } from "./kernels/recurrent.ts";
export { OPS } from "./ops/all.ts";
export * as floats from "./ops/floats.ts";
export * as rest from "./passes/rest.ts";
