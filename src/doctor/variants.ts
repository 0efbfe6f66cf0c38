/** Every variant on this engine: whether it is exact, whether it would be chosen, and why. */
import { instantiateKernels } from "../kernels/instantiate.ts";
import { createBump, createMemory } from "../kernels/memory.ts";
import { type Accepted, acceptVariant } from "../kernels/select.ts";
import { prepareSelfTest } from "../kernels/selfTest.ts";
import { tileRate } from "../kernels/tileRate.ts";
import type { Variant } from "../kernels/variant.ts";
import { kernelBytes } from "../runtime/kernelSource.ts";
import type { VariantReport } from "./report.ts";

/** In the order of src/kernels/select.ts. */
const BEST_FIRST: readonly Variant[] = ["usdot", "sdot", "simd"];
const RATE_MS = 500;

interface Tested {
  readonly variant: Variant;
  readonly accepted: Accepted | string; // or the reason against it
  readonly milliseconds: number;
  readonly loaded: boolean;
}

/** Tests all variants, one after the other, also those behind the one that is chosen; none where nothing compiles because of `refusal`.
 *  Never throws: what fails is a reason. */
export async function variantReports(
  refusal: string | null,
): Promise<{ readonly reports: VariantReport[]; readonly chosen: Accepted | null }> {
  const tested: Tested[] = [];
  for (const variant of BEST_FIRST)
    tested.push(refusal === null ? await test(variant) : { variant, accepted: refusal, milliseconds: 0, loaded: false });
  const first = tested.find(({ accepted }) => typeof accepted !== "string");
  return { reports: tested.map((one) => reportOf(one, first?.variant)), chosen: (first?.accepted as Accepted | undefined) ?? null };
}

function reportOf({ variant, accepted, loaded, milliseconds }: Tested, chosen: Variant | undefined): VariantReport {
  const testMs = loaded ? milliseconds : null;
  if (typeof accepted === "string") return { variant, exact: false, chosen: false, why: accepted, testMs, gops: null };
  const { gops, fault } = optimized(accepted);
  if (fault !== null) {
    const advice = variant === chosen ? `; sessions would choose it: give them variant "simd"` : "";
    return {
      variant,
      exact: false,
      chosen: variant === chosen,
      why: `wrong once the engine has optimized it: ${fault}${advice}`,
      testMs,
      gops: null,
    };
  }
  const why =
    variant === chosen ? "chosen: the best that answers every question right" : `answers right, but ${chosen} does too and is preferred`;
  return { variant, exact: true, chosen: variant === chosen, why, testMs, gops };
}

async function test(variant: Variant): Promise<Tested> {
  const start = performance.now();
  let loaded = false;
  const load = (name: Variant): Promise<Uint8Array> => {
    loaded = true;
    return kernelBytes(name);
  };
  const accepted = await acceptVariant(load, variant).catch(reasonOf);
  return { variant, accepted, milliseconds: performance.now() - start, loaded };
}

async function reasonOf(error: Error): Promise<string> {
  return (await import("../kernels/trouble.ts")).explain(error).message;
}

/** The tile's rate, which takes until the engine has optimized it, and what is wrong from then on. */
export function optimized(
  { module, geometry }: Accepted,
  kernelsOf = instantiateKernels,
): { readonly gops: number; readonly fault: string | null } {
  const memory = createMemory(1 << 18);
  const kernels = kernelsOf(module, memory);
  const gops = tileRate(kernels, geometry, memory, RATE_MS);
  return { gops, fault: prepareSelfTest(kernels, geometry, createBump(memory)).check() };
}
