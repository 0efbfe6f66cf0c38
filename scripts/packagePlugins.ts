/** Build plugins for what lies in dist beside the bundles: kernel modules, their addresses, and entries for `require` on Nodes without ES modules. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, esmExternalRequirePlugin, type Plugin, type UserConfig } from "vite";

const KERNELS = ["simd", "usdot", "sdot", "rest-signed", "rest-unsigned", "float"];
const FROM_SOURCE = /new URL\("(?:\.\.\/)+build\//g; // as src/runtime/kernelSource.ts and others name files that are built
const OWN_FILE = /new URL\(("\.\/[\w/-]+\.(?:wasm|js|json)"), import\.meta\.url\)/g;
const PROTECTED = /new URL\(\s*\/\* @vite-ignore \*\/\s*/g;

/** Addresses of the package's own files stay as they are written, for the user's bundler to read: this build, which would embed the files, passes
 *  them by, and the comment that tells it to is removed from what it wrote. */
export function ownAddresses(): Plugin {
  return {
    name: "bitexact-addresses",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("/src/") || !code.includes("import.meta.url")) return null;
      const inPackage = code.replace(FROM_SOURCE, 'new URL("./');
      return { code: inPackage.replace(OWN_FILE, "new URL(/* @vite-ignore */ $1, import.meta.url)"), map: null };
    },
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) if (chunk.type === "chunk") chunk.code = chunk.code.replace(PROTECTED, "new URL(");
    },
  };
}

/** Kernels beside the bundle, where it looks for them. */
export function kernelFiles(): Plugin {
  return {
    name: "bitexact-kernels",
    apply: "build",
    writeBundle({ dir }) {
      mkdirSync(`${dir}/kernels`, { recursive: true });
      for (const name of [...KERNELS.map((kernel) => `${kernel}.wasm`), "pages.json"])
        cpSync(`build/kernels/${name}`, `${dir}/kernels/${name}`);
    },
  };
}

const requireEntry = (
  entry: string,
  name: string,
): string => `/* What require("${name}") reaches on a Node that cannot require ES modules. */
"use strict";
try {
  module.exports = require("./${entry}.js");
} catch (error) {
  if (error.code !== "ERR_REQUIRE_ESM") throw error;
  const message =
    "bitexact: Node " + process.versions.node + " cannot require() an ES module. " +
    'Use await import("${name}"), or Node 20.19, 22.12 or later, which can.';
  throw Object.assign(new Error(message, { cause: error }), { code: "ERR_REQUIRE_ESM" });
}
`;

/** A file `<entry>.cjs` per entry of the package. */
export function requireEntries(entries: readonly string[]): Plugin {
  return {
    name: "bitexact-require",
    apply: "build",
    writeBundle({ dir = "dist" }) {
      for (const entry of entries) {
        const name = entry === "index" ? "bitexact" : `bitexact/${entry}`;
        writeFileSync(join(dir, `${entry}.cjs`), requireEntry(entry, name));
      }
    },
  };
}

type Output = NonNullable<NonNullable<UserConfig["build"]>["rolldownOptions"]>["output"];

/** Entries (name → file in src) that share no file with the core, each by a build of its own: what runs compiled models is a third of it, and what a
 *  thread runs less. `output` is how the package's own bundles are written. */
export function separateEntries(entries: Readonly<Record<string, string>>, target: string, output: Output): Plugin {
  const one = (dir: string, name: string, file: string) =>
    build({
      configFile: false,
      logLevel: "error",
      plugins: [esmExternalRequirePlugin({ external: [/^node:/] }), ownAddresses()],
      build: {
        ...{ target, outDir: dir, emptyOutDir: false, copyPublicDir: false },
        lib: { entry: { [name]: file }, formats: ["es"] },
        rolldownOptions: { output: { ...output, codeSplitting: false } },
      },
    });
  return {
    name: "bitexact-separate",
    apply: "build",
    async writeBundle({ dir = "dist" }) {
      for (const [name, file] of Object.entries(entries)) await one(dir, name, file);
    },
  };
}
