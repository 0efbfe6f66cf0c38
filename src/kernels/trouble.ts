/** What is said when kernels cannot be had; loaded only then. */
import { ModelError, SessionError } from "../errors.ts";

const COPY = "Copy bitexact/dist/kernels/ to where it is looked for (esbuild and rollup do not do it), or import bitexact/inline.";
const ALLOW = "Add 'wasm-unsafe-eval' to script-src of the page's Content-Security-Policy.";

/** The error to throw in the place of `error`, which came up while kernels were read and compiled. */
export function explain(error: Error): Error {
  const { message } = error;
  if (error instanceof ModelError && error.code.startsWith("source/"))
    return new SessionError("kernels/not-found", `kernels: ${message} ${COPY}`);
  if (/unsafe-eval|CSP|Content.Security.Policy/i.test(message))
    return new SessionError("kernels/csp", `kernels: the page may not compile WebAssembly (${message}). ${ALLOW}`);
  return error;
}
