/** Times a call, and the peak that the engine's own dot instruction reaches in this process. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { Bench } from "tinybench";
import type { Variant } from "../src/plan/plan.ts";

/** What a suite is given, and where it puts its rows. */
export interface Context {
  readonly filter: string;
  readonly log: (line: string) => void;
  readonly emit: (row: Readonly<Record<string, unknown>>) => void;
  readonly wrong: (line: string) => void;
}

export interface Timing {
  readonly minMs: number;
  readonly medianMs: number;
}

/** Fastest and median run of `run`, warm. */
export async function time(run: () => void, milliseconds = 300): Promise<Timing> {
  const bench = new Bench({ time: milliseconds, iterations: 5, warmupTime: 60, warmupIterations: 3 });
  bench.add("case", run);
  const [task] = await bench.run();
  const { latency } = task!.result as { latency: { min: number; p50: number } };
  return { minMs: latency.min, medianMs: latency.p50 };
}

const STEPS = 50_000; // short enough to fit between two interruptions of a shared machine

/** GOPS (2 · MAC) of the variant's dot on registers or on a tile in the first cache, whichever is faster. */
export async function peakGops(variant: Variant): Promise<number> {
  const file = `build/kernels/peak-${variant}.wasm`;
  if (!existsSync(file) || statSync(file).mtimeMs < statSync("assembly/peak.ts").mtimeMs)
    throw new Error(`${file} is missing: npm run build:kernels`);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(readFileSync(file), { env: { memory } });
  const { peak_dot, peak_tile, PEAK_STEP } = instance.exports as {
    peak_dot: (steps: number, seed: number) => number;
    peak_tile: (steps: number) => number;
    PEAK_STEP: WebAssembly.Global;
  };
  const times = [await time(() => peak_dot(STEPS, 7)), await time(() => peak_tile(STEPS))];
  return (2 * STEPS * PEAK_STEP.value) / Math.min(...times.map(({ minMs }) => minMs)) / 1e6;
}

/** A column of a printed table. */
export function column(value: string | number, width: number): string {
  return String(value).padStart(width);
}
