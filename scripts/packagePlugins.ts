/** Build plugins for what lies in dist beside the bundles: kernel modules, and entries for `require` on Nodes that cannot require ES modules. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const KERNELS = ["simd", "usdot", "sdot", "rest-signed", "rest-unsigned", "float"];
const IN_SOURCE = 'new URL("../../build/kernels/';
const IN_PACKAGE = 'new URL(/* @vite-ignore */ "./kernels/'; // the comment keeps this build from inlining the file; it is gone in dist

/** Kernels beside the bundle, at the addresses that it names. */
export function kernelFiles(): Plugin {
  return {
    name: "bitexact-kernels",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("src/runtime/kernelSource.ts")) return null;
      if (code.split(IN_SOURCE).length !== KERNELS.length + 1)
        throw new Error(`${id}: the addresses of ${KERNELS.length} kernels expected`);
      return { code: code.replaceAll(IN_SOURCE, IN_PACKAGE), map: null };
    },
    writeBundle({ dir }) {
      mkdirSync(`${dir}/kernels`, { recursive: true });
      for (const name of KERNELS) cpSync(`build/kernels/${name}.wasm`, `${dir}/kernels/${name}.wasm`);
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
