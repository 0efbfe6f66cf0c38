/** All that src/full.ts loads beyond the core, in one file of dist. */
export { FORMS } from "./forms/all.ts";
export { integerFinish } from "./forms/dot/integerFinish.ts";
export { OPS } from "./ops/all.ts";
export * as floats from "./ops/floats.ts";
export { adviceOn } from "./ops/unsupported.ts";
export { expandOperators } from "./passes/expandOperators.ts";
export { foldBatchNorm } from "./passes/foldBatchNorm.ts";
export { upgradeOpset } from "./passes/upgradeOpset.ts";
