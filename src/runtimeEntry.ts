/** bitexact/runtime: runs compiled models, and nothing else. */
export { type CompiledOptions, loadCompiled } from "./bex/load.ts";
export type { CompiledSession, CompiledValue } from "./bex/session.ts";
export type { Encoding } from "./encodings/encoding.ts";
export { type Issue, ModelError, SessionError } from "./errors.ts";
export type { Source } from "./io/source.ts";
export type { Target, Variant } from "./plan/plan.ts";
export type { Feeds } from "./runtime/feeds.ts";
export type { RunOptions } from "./runtime/runner.ts";
export type { ElementType } from "./tensor/dtype.ts";
export { Tensor } from "./tensor/tensor.ts";
