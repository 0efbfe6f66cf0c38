/** Where the kernel modules' bytes come from: files beside the package's own, bytes registered by `bitexact/inline`, or the build folder in development. */
import { readSource, type Source, unreadable } from "../io/source.ts";
import { type KernelSelection, selectVariant } from "../kernels/select.ts";
import type { Variant } from "../kernels/variant.ts";

/** Modules that need no choice. */
export type Shared = "float" | "rest-signed" | "rest-unsigned";

type KernelFile = Variant | Shared;

type KernelSources = Readonly<Record<KernelFile, () => Source | Promise<Source>>>;

/** Each address is written out: bundlers copy the files whose addresses they can read. The package's build puts "./kernels/" in the place of
 *  the build folder (vite.config.ts). */
let sources: KernelSources = {
  simd: () => new URL("../../build/kernels/simd.wasm", import.meta.url),
  usdot: () => new URL("../../build/kernels/usdot.wasm", import.meta.url),
  sdot: () => new URL("../../build/kernels/sdot.wasm", import.meta.url),
  float: () => new URL("../../build/kernels/float.wasm", import.meta.url),
  "rest-signed": () => new URL("../../build/kernels/rest-signed.wasm", import.meta.url),
  "rest-unsigned": () => new URL("../../build/kernels/rest-unsigned.wasm", import.meta.url),
};

/** Takes the modules from somewhere else from now on; only to be called by src/inline.ts. */
export function useKernelSources(kernels: KernelSources): void {
  sources = kernels;
}

/** Bytes of a kernel module. */
export async function kernelBytes(name: KernelFile): Promise<Uint8Array<ArrayBuffer>> {
  const source = await sources[name]();
  const bytes = await readSource(source); // not streamed to the compiler, which insists on a MIME type
  if (bytes[1] !== 97) throw unreadable(`${source}`, "no WebAssembly"); // many servers answer a missing file with a page
  return bytes as Uint8Array<ArrayBuffer>;
}

/** What `work` gives. throws SessionError "kernels/not-found" for files that are not there, "kernels/csp" where a policy forbids to compile. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw (await import("../kernels/trouble.ts")).explain(error as Error);
  }
}

const selections = new Map<Variant | "auto", Promise<KernelSelection>>();

/** The kernel module this engine computes right; chosen once per process by known-answer tests. */
export function kernelsFor(wanted: Variant | "auto"): Promise<KernelSelection> {
  const known = selections.get(wanted) ?? explained(selectVariant(kernelBytes, wanted));
  selections.set(wanted, known);
  known.catch(() => selections.delete(wanted));
  return known;
}

/** A module that needs no choice. */
export function compileKernels(name: Shared): Promise<WebAssembly.Module> {
  return explained(kernelBytes(name).then((bytes) => WebAssembly.compile(bytes)));
}
