/** Where the kernel modules' bytes come from: beside this file in the package, the build folder in development. */
import { nodeModule } from "../io/source.ts";
import { type KernelSelection, selectVariant } from "../kernels/select.ts";
import type { Variant } from "../kernels/variant.ts";

/** Modules that need no choice. */
type Shared = "float" | "rest-signed" | "rest-unsigned";

const here = import.meta.url;

function kernelUrl(variant: Variant | Shared): URL {
  const folder = here.endsWith(".ts") ? "../../build/kernels/" : "./kernels/";
  return new URL(`${folder}${variant}.wasm`, here);
}

/** Bytes of a kernel module. */
export async function kernelBytes(variant: Variant | Shared): Promise<Uint8Array> {
  const url = kernelUrl(variant);
  if (url.protocol === "file:") {
    const { readFileSync } = await nodeModule<typeof import("node:fs")>("node:fs");
    return readFileSync(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const selections = new Map<Variant | "auto", Promise<KernelSelection>>();

/** The kernel module this engine computes right; chosen once per process by known-answer tests. */
export function kernelsFor(wanted: Variant | "auto"): Promise<KernelSelection> {
  const known = selections.get(wanted) ?? selectVariant(kernelBytes, wanted);
  selections.set(wanted, known);
  known.catch(() => selections.delete(wanted));
  return known;
}

/** A module that needs no choice. */
export async function compileKernels(name: Shared): Promise<WebAssembly.Module> {
  return WebAssembly.compile((await kernelBytes(name)) as Uint8Array<ArrayBuffer>);
}
