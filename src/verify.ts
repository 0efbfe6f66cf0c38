/** Entry `bitexact/verify`: simulation, reference and comparison for tools that check models; the same functions as in `bitexact`. */
export { loadModel, runReference, type SimulateOptions, simulate, verify } from "./api.ts";
export type { Encoding } from "./encodings/encoding.ts";
export { type Issue, ModelError, SessionError } from "./errors.ts";
export type { Source } from "./io/source.ts";
export type { LoadOptions, Model, ValueInfo } from "./model.ts";
export type { Target, Variant } from "./plan/plan.ts";
export type { Feeds } from "./runtime/feeds.ts";
export type { ElementType } from "./tensor/dtype.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { EndToEndCounts, LayerReport, LocalCounts, Mismatch, VerifyReport } from "./verify/report.ts";
export type { VerifyOptions } from "./verify/verify.ts";
