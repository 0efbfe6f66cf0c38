/** DoctorReport: what this engine is, which kernels are exact on it and why, as data. Schema "bitexact-doctor/1". */
import type { RelaxedDot } from "../kernels/relaxedDot.ts";
import type { Variant } from "../kernels/variant.ts";

export interface DoctorReport {
  readonly schema: "bitexact-doctor/1";
  readonly version: string; // of the package
  readonly healthy: boolean; // the chosen variant is exact here
  readonly engine: EngineReport;
  readonly webAssembly: { readonly compiles: boolean; readonly why: string | null }; // why not
  readonly relaxedDot: { readonly cold: RelaxedDot; readonly warm: RelaxedDot }; // before and after the engine optimized
  readonly chosen: Variant | null;
  readonly variants: readonly VariantReport[]; // the preferred first
  readonly threads: ThreadsReport;
  readonly memory: MemoryReport;
}

export interface EngineReport {
  readonly name: string; // "Node 20.19.2 (V8 11.3…)", "Chromium 156", "Firefox 153", or "unknown engine"
  readonly platform: string | null; // "linux x64"
  readonly cpu: string | null; // the model, where the engine tells
  readonly userAgent: string | null;
}

export interface VariantReport {
  readonly variant: Variant;
  readonly exact: boolean; // every known answer was right
  readonly chosen: boolean;
  readonly why: string; // chosen, passed over, or refused because of what
  readonly testMs: number | null; // loading, compiling and testing; null where nothing was loaded
  readonly gops: number | null; // 10⁹ operations a second of its tile, two per multiply-accumulate, one thread
}

export interface ThreadsReport {
  readonly cores: number | null; // as the engine says
  readonly sharedArrayBuffer: boolean;
  readonly crossOriginIsolated: boolean | null; // null outside browsers
  readonly sharedMemory: boolean; // a shared WebAssembly.Memory can be made
  readonly workers: boolean;
  readonly available: number; // threads a session may use here, at least 1
  readonly why: string | null; // of one thread only
}

export interface MemoryReport {
  readonly largestBytes: number; // that one WebAssembly.Memory could grow to just now; 4 GiB is WebAssembly's own limit
}
