/** What models with QuantizeLinear and DequantizeLinear operators need beyond the core, in one file of dist. */
export { QUANTIZERS } from "./ops/quantize.ts";
export { foldQdq } from "./passes/foldQdq.ts";
