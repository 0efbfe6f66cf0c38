/** Looks at the engine: which kernels are exact here and why, threads, memory. Loaded when it is first called. */
import { engineReport } from "./doctor/engine.ts";
import { memoryReport, threadsReport } from "./doctor/limits.ts";
import type { DoctorReport } from "./doctor/report.ts";
import { variantReports } from "./doctor/variants.ts";
import { relaxedDot } from "./kernels/relaxedDot.ts";
import { VERSION } from "./version.ts";

const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

/** As in src/api.ts. */
export async function doctor(): Promise<DoctorReport> {
  const webAssembly = await compiling();
  const absent = { cold: "absent", warm: "absent" } as const;
  const dot = webAssembly.compiles ? await relaxedDot().catch(() => absent) : absent;
  const { reports, chosen } = await variantReports(webAssembly.why);
  return {
    schema: "bitexact-doctor/1",
    version: VERSION,
    healthy: reports.some(({ chosen, exact }) => chosen && exact),
    engine: await engineReport(),
    webAssembly,
    relaxedDot: dot,
    chosen: chosen?.geometry.variant ?? null,
    variants: reports,
    threads: await threadsReport(chosen?.geometry ?? null),
    memory: webAssembly.compiles ? memoryReport() : { largestBytes: 0 },
  };
}

async function compiling(): Promise<DoctorReport["webAssembly"]> {
  if (typeof WebAssembly === "undefined") return { compiles: false, why: "this engine has no WebAssembly, or it is switched off" };
  try {
    await WebAssembly.compile(EMPTY_MODULE);
    return { compiles: true, why: null };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { compiles: false, why: `${found}. A Content-Security-Policy needs 'wasm-unsafe-eval' in script-src.` };
  }
}
