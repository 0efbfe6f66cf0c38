/** Build plugin: collects the licence of every package whose code ends up in a bundle into one text file. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The folder of the package that owns the file `id`; null for our own sources. */
function packageFolder(id: string): string | null {
  const path = id.replace(/^\0/, "").replace(/\?.*$/, "");
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? null;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** The licence text that lies in the package; a package without one is covered by the standard text its manifest names. */
function licenseText(folder: string, { name, license }: Manifest): string {
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  if (file) return readFileSync(join(folder, file), "utf8").trim();
  if (license === "Apache-2.0") return "Distributed under the Apache License, Version 2.0; its text is the file LICENSE of this package.";
  throw new Error(`licences: ${name} (${license ?? "no licence named"}) carries no licence text; add a rule for it`);
}

/** Writes `file` into the output folder after each build: name, version and licence text per bundled package, in order of name. */
export function bundledLicenses(file: string): Plugin {
  return {
    name: "bitexact-licenses",
    apply: "build",
    writeBundle({ dir }, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of chunk.moduleIds) {
          const folder = packageFolder(id);
          if (folder) folders.add(folder);
        }
      }
      const packages = [...folders].map((folder) => ({ folder, manifest: manifestOf(folder) }));
      packages.sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
      const parts = packages.map(({ folder, manifest }) => {
        const head = `${manifest.name} ${manifest.version} (${manifest.license})`;
        return `${head}\n${"-".repeat(head.length)}\n\n${licenseText(folder, manifest)}\n`;
      });
      writeFileSync(join(dir ?? "dist", file), `The bundles in this folder contain code of these packages.\n\n${parts.join("\n\n")}`);
    },
  };
}
