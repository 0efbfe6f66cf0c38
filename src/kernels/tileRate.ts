/** How fast a variant's tile multiplies here: the deep product of its self-test, operands in the first cache, accumulators stored raw. */
import { DOT_KERNELS } from "./dot.ts";
import type { Kernel, Kernels } from "./instantiate.ts";
import { createBump } from "./memory.ts";
import { prepareSelfTest } from "./selfTest.ts";
import type { ModuleGeometry } from "./variant.ts";

/** Without a better batch for this long the engine has optimized what it will. */
const SETTLED_MS = 80;

/** Billions of operations a second, two per multiply-accumulate: the best of short batches, for at most `milliseconds`. */
export function tileRate(kernels: Kernels, geometry: ModuleGeometry, memory: WebAssembly.Memory, milliseconds: number): number {
  const kernel = kernels.igemm_q8!;
  let last: Parameters<Kernel> = [0, 0, 0];
  const watched: Kernel = (...call) => {
    last = call;
    kernel(...call);
  };
  prepareSelfTest({ ...kernels, igemm_q8: watched }, geometry, createBump(memory)).warm();
  const [args, begin, end] = last;
  const words = new Int32Array(memory.buffer);
  const field = (name: string): number => words[(args >> 2) + (DOT_KERNELS.igemm_q8 as readonly string[]).indexOf(name)]!;
  const operations = 2 * field("m") * field("n") * field("k");
  const start = performance.now();
  let [best, since] = [0, start];
  for (let calls = 64, now = start; now - start < milliseconds && now - since < SETTLED_MS; ) {
    const begun = now;
    for (let i = 0; i < calls; i++) kernel(args, begin, end);
    now = performance.now();
    const rate = (operations * calls) / (now - begun) / 1e6;
    if (now - begun < 1)
      calls *= 2; // browsers round their clock to as much as 0.1 ms
    else if (rate > best) {
      if (rate > 1.05 * best) since = now;
      best = rate;
    }
  }
  return best;
}
