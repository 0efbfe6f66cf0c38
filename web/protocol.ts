/** What the page asks its worker, and what it answers: plain data, cloned or transferred. */

import type { DoctorReport } from "../src/doctor/report.ts";
import type { ElementType } from "../src/index.ts";
import type { InspectReport } from "../src/inspectReport.ts";
import type { BenchReport } from "../src/report/benchReport.ts";
import type { VerifyReport } from "../src/verify/report.ts";

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A tensor as it travels. */
export interface PlainTensor {
  readonly type: ElementType;
  readonly data: ArrayBufferView<ArrayBuffer>;
  readonly dims: readonly number[];
}

/** Which inputs to use: of the dropped files, drawn from a seed, or given (an image). */
export type Inputs =
  | { readonly kind: "files"; readonly begin: number; readonly count: number }
  | { readonly kind: "random"; readonly seed: number; readonly count: number }
  | { readonly kind: "given"; readonly feeds: Readonly<Record<string, PlainTensor>> };

export type Against = "sim-f64" | "sim-f32" | "reference" | "recorded";

export interface Loaded {
  readonly name: string; // of the model file
  readonly inspect: InspectReport;
  readonly samples: number; // in the dropped files; 0: none that fit
  readonly recorded: { readonly name: string; readonly matched: number; readonly names: number } | null;
  readonly notes: readonly string[];
  readonly milliseconds: number; // to load and inspect
}

export interface OutputReport {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly first: readonly number[];
  readonly top: readonly { readonly index: number; readonly value: number }[]; // largest elements of a list of scores; else empty
  readonly sha256: string | null; // of the elements; null where the page's origin is not secure
}

export interface RunReport {
  readonly milliseconds: number;
  readonly target: string;
  readonly variant: string;
  readonly outputs: readonly OutputReport[];
  readonly inputs: Readonly<Record<string, PlainTensor>>; // what was fed
}

/** The same inputs in ONNX Runtime Web. */
export interface PeerReport {
  readonly version: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly runs: number;
  readonly outputs: readonly OutputReport[];
}

/** Requests by name, with their answers. */
export interface Calls {
  readonly load: { readonly ask: { readonly files: readonly NamedBytes[] }; readonly answer: Loaded };
  readonly run: { readonly ask: { readonly inputs: Inputs }; readonly answer: RunReport };
  readonly verify: { readonly ask: { readonly inputs: Inputs; readonly against: Against }; readonly answer: VerifyReport };
  readonly bench: { readonly ask: { readonly inputs: Inputs }; readonly answer: BenchReport };
  readonly doctor: { readonly ask: Record<string, never>; readonly answer: DoctorReport };
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
}

export type ToWorker = { readonly id: number; readonly call: keyof Calls; readonly ask: unknown } | { readonly abort: number };
export type FromWorker =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly problems: readonly Problem[] };
