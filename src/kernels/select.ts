/** Chooses the kernel variant: the best one that the engine accepts and that answers known questions right. */
import { ModelError } from "../errors.ts";
import { instantiateKernels, type Kernels, moduleGeometry } from "./instantiate.ts";
import { createBump, createMemory, FIRST_ADDRESS } from "./memory.ts";
import { prepareSelfTest } from "./selfTest.ts";
import type { ModuleGeometry, Variant } from "./variant.ts";

/** Bytes of one kernel module. */
export type LoadKernels = (variant: Variant) => Promise<Uint8Array> | Uint8Array;

export interface KernelSelection {
  readonly variant: Variant;
  readonly module: WebAssembly.Module;
  readonly geometry: ModuleGeometry;
  readonly reasons: readonly string[]; // why each better variant was passed over
}

const BEST_FIRST: readonly Variant[] = ["usdot", "sdot", "simd"];

/** A module with one relaxed dot; engines without relaxed SIMD reject it, which saves loading the relaxed kernels. */
const RELAXED_DOT = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 0, 32, 0, 253, 147, 2, 11,
]);

/** The best variant ("auto"), or the wanted one. throws ModelError "session/variant" when none of the candidates is right on this engine. */
export async function selectVariant(load: LoadKernels, wanted: "auto" | Variant): Promise<KernelSelection> {
  const reasons: string[] = [];
  for (const variant of wanted === "auto" ? BEST_FIRST : [wanted]) {
    const accepted = await acceptVariant(load, variant);
    if (typeof accepted !== "string") return { variant, ...accepted, reasons };
    reasons.push(`${variant}: ${accepted}`);
  }
  const message = `kernel variant ${wanted} cannot be used on this engine: ${reasons.join("; ")}. Use variant "auto" or "simd" on an engine with WebAssembly SIMD`;
  throw new ModelError([{ code: "session/variant", message }]);
}

export type Accepted = Pick<KernelSelection, "module" | "geometry">;

/** The compiled module and what an instance of it says and does, or the reason against it. A wrong answer is looked for cold, through some hundred calls, and after the engine
 *  had a turn. V8 has not optimized the tiles by then: that takes it longer than a start may; src/doctor/variants.ts waits for it. */
export async function acceptVariant(load: LoadKernels, variant: Variant): Promise<Accepted | string> {
  if (variant !== "simd" && !WebAssembly.validate(RELAXED_DOT)) return "no relaxed SIMD";
  const bytes = (await load(variant)) as Uint8Array<ArrayBuffer>;
  if (!WebAssembly.validate(bytes)) return "the engine rejects the module";
  const module = await WebAssembly.compile(bytes);
  const memory = createMemory(1 << 18);
  const kernels = instantiateKernels(module, memory);
  const geometry = moduleGeometry(kernels, variant);
  return (await testFault(kernels, geometry, memory)) ?? { module, geometry };
}

/** Null when every known answer of the module is right. */
export async function selfTestFault(module: WebAssembly.Module, variant: Variant): Promise<string | null> {
  const memory = createMemory(1 << 18);
  const kernels = instantiateKernels(module, memory);
  return testFault(kernels, moduleGeometry(kernels, variant), memory);
}

/** Null when every known answer of `kernels` is right, or what is wrong. memory: that of the kernels; from address `first` on its contents are lost. */
export async function testFault(
  kernels: Kernels,
  geometry: ModuleGeometry,
  memory: WebAssembly.Memory,
  first = FIRST_ADDRESS,
): Promise<string | null> {
  const test = prepareSelfTest(kernels, geometry, createBump(memory, first));
  const cold = test.check() ?? test.warm();
  if (cold !== null || geometry.variant === "simd") return cold;
  await new Promise((resolve) => setTimeout(resolve, 0));
  return test.check();
}
