/** Public API of bitexact. Names, shapes and meanings are a contract; more may be added beside them. */
export {
  compileModel,
  doctor,
  loadModel,
  runReference,
  Session,
  type SessionOptions,
  type SimulateOptions,
  simulate,
  verify,
} from "./api.ts";
export type { CompileModelOptions } from "./compileModel.ts";
export type { DoctorReport, EngineReport, MemoryReport, ThreadsReport, VariantReport } from "./doctor/report.ts";
export type { Encoding } from "./encodings/encoding.ts";
export { type Issue, ModelError, SessionError } from "./errors.ts";
export type { Source } from "./io/source.ts";
export type { RelaxedDot } from "./kernels/relaxedDot.ts";
export type { LoadOptions, Model, ValueInfo } from "./model.ts";
export type { Target, Variant } from "./plan/plan.ts";
export type { OnProgress, Progress } from "./progress.ts";
export type { Feeds } from "./runtime/feeds.ts";
export type { RunOptions } from "./runtime/runner.ts";
export type { Stream, StreamOptions } from "./runtime/stream.ts";
export type { ElementType } from "./tensor/dtype.ts";
export type { Channels, ImageOptions, ImageSource } from "./tensor/image.ts";
export type { Resize } from "./tensor/imageResize.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { Heatmap, Histogram } from "./verify/distribution.ts";
export type { EndToEndCounts, LayerReport, LocalCounts, Mismatch, NoiseReport, VerifyReport } from "./verify/report.ts";
export type { VerifyOptions } from "./verify/verify.ts";
