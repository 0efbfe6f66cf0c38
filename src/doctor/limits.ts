/** Limits of this engine: threads with shared memory, and how far one memory grows. */
import { MOST_THREADS } from "../kernels/sharedMemory.ts";
import type { ModuleGeometry } from "../kernels/variant.ts";
import { coreCount, inBrowser } from "./engine.ts";
import type { MemoryReport, ThreadsReport } from "./report.ts";

const PAGE = 65536;
const MOST_PAGES = 65536;

/** Looks for what threads need and starts two of them, with the kernels of `geometry`. */
export async function threadsReport(geometry: ModuleGeometry | null): Promise<ThreadsReport> {
  const cores = await coreCount();
  const isolated = (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated;
  const facts = {
    cores,
    sharedArrayBuffer: typeof SharedArrayBuffer !== "undefined",
    crossOriginIsolated: inBrowser ? (isolated ?? false) : null,
    sharedMemory: canShare(),
    workers: !inBrowser || typeof Worker !== "undefined",
  };
  const why = whyOne(facts) ?? (geometry ? await startingFault(geometry) : "no kernels are exact here");
  return { ...facts, available: why === null ? Math.min(cores ?? 1, MOST_THREADS) : 1, why };
}

/** Null when a second thread starts. */
async function startingFault(geometry: ModuleGeometry): Promise<string | null> {
  const { assembleCrew } = await import("../runtime/threads/crew.ts");
  const crew = await assembleCrew(2, geometry);
  crew.dispose();
  return crew.reason;
}

function canShare(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}

/** Why a session gets one thread; null where it may have more. */
export function whyOne(facts: Omit<ThreadsReport, "available" | "why">): string | null {
  if (!facts.sharedArrayBuffer && facts.crossOriginIsolated === false)
    return "the page is not cross-origin isolated: serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  if (!facts.sharedArrayBuffer) return "the engine has no SharedArrayBuffer";
  if (!facts.sharedMemory) return "the engine refuses a shared WebAssembly.Memory";
  if (!facts.workers) return "there are no workers here";
  if (facts.cores === 1) return "the machine has one core";
  return null;
}

/** Grows one memory as far as it goes, in halving steps. Pages are reserved, not touched, and let go with the memory. */
export function memoryReport(): MemoryReport {
  const memory = widestMemory();
  if (!memory) return { largestBytes: 0 };
  for (let step = MOST_PAGES >> 1; step >= 1; step >>= 1) {
    try {
      if (memory.buffer.byteLength / PAGE + step <= MOST_PAGES) memory.grow(step);
    } catch {} // this much was refused; half of it may not be
  }
  return { largestBytes: memory.buffer.byteLength };
}

/** One page that may become 4 GiB, or as much as the engine lets a memory ask for. */
function widestMemory(): WebAssembly.Memory | null {
  for (let maximum = MOST_PAGES; maximum >= 1; maximum >>= 1) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum });
    } catch {} // address space for this much is not to be had
  }
  return null;
}
