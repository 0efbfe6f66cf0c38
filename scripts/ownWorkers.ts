/** Build plugin: addresses of the package's own worker scripts stay as they are written, for the user's bundler to read. */
import type { Plugin } from "vite";

const WRITTEN = "new Worker(new URL(";
const HIDDEN = "new Worker(__ownAddress(";

/** This build would bundle each script once more into the file that starts it; it sees a call of an unknown function instead. */
export function ownWorkers(): Plugin {
  return {
    name: "bitexact-workers",
    apply: "build",
    enforce: "pre",
    transform: (code, id) =>
      id.includes("/src/") && code.includes(WRITTEN) ? { code: code.replaceAll(WRITTEN, HIDDEN), map: null } : null,
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) if (chunk.type === "chunk") chunk.code = chunk.code.replaceAll(HIDDEN, WRITTEN);
    },
  };
}
