/** Entry `bitexact/inline`: the whole API of `bitexact` with the kernels inside the JavaScript; nothing is fetched and no asset is to be copied. */
import { useKernelSources } from "./runtime/kernelSource.ts";

export * from "./index.ts";

type Embedded = Promise<{ readonly default: string }>;

/** A `data:` address to its bytes: decoded here and never fetched, which a content security policy may forbid. */
async function decoded(address: Embedded): Promise<Uint8Array> {
  const text = (await address).default;
  return Uint8Array.from(atob(text.slice(text.indexOf(",") + 1)), (char) => char.charCodeAt(0));
}

useKernelSources({
  simd: () => decoded(import("../build/kernels/simd.wasm?url&inline")),
  usdot: () => decoded(import("../build/kernels/usdot.wasm?url&inline")),
  sdot: () => decoded(import("../build/kernels/sdot.wasm?url&inline")),
  float: () => decoded(import("../build/kernels/float.wasm?url&inline")),
  "rest-signed": () => decoded(import("../build/kernels/rest-signed.wasm?url&inline")),
  "rest-unsigned": () => decoded(import("../build/kernels/rest-unsigned.wasm?url&inline")),
});
