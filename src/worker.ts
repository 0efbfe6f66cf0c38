/** Entry `bitexact/worker`: sessions in workers of their own, and what their callers need. */
export type { Encoding } from "./encodings/encoding.ts";
export { type Issue, ModelError, SessionError } from "./errors.ts";
export type { Source } from "./io/source.ts";
export type { ValueInfo } from "./model.ts";
export type { Target, Variant } from "./plan/plan.ts";
export type { OnProgress, Progress } from "./progress.ts";
export type { Feeds } from "./runtime/feeds.ts";
export type { ElementType } from "./tensor/dtype.ts";
export type { Channels, ImageOptions, ImageSource } from "./tensor/image.ts";
export type { Resize } from "./tensor/imageResize.ts";
export { Tensor } from "./tensor/tensor.ts";
export { createWorkerSession, type WorkerRunOptions, type WorkerSession, type WorkerSessionOptions } from "./worker/session.ts";
