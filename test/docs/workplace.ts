/** Where examples run: a folder per page with the built package installed and the files that examples name. */
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative, resolve } from "node:path";
import { build } from "vite";

const root = resolve(import.meta.dirname, "../..");
const SAMPLE = join(root, "models/digits_cnn/w8a8_pc");
const SAMPLE_FILES = ["model.onnx", "model.encodings", "inputs.npz", "sim.npz"];

export interface Workplace {
  readonly folder: string;
  /** The folder of one page. */
  at(page: string): string;
  /** Messages of the type checker about all blocks that were written, by file. */
  typeErrors(): Map<string, string[]>;
  remove(): void;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Builds the package with its types and puts it where examples find it. */
export async function openWorkplace(pages: readonly string[]): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "bitexact-docs-"));
  const home = join(folder, "node_modules", "bitexact");
  mkdirSync(home, { recursive: true });
  cpSync(join(root, "package.json"), join(home, "package.json"));
  if (isBuilt()) cpSync(join(root, "dist"), join(home, "dist"), { recursive: true });
  else await buildPackage(join(home, "dist"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "bitexact"), `#!/bin/sh\nexec "${process.execPath}" "${join(home, "dist", "cli.js")}" "$@"\n`);
  chmodSync(join(bin, "bitexact"), 0o755);
  const at = (page: string): string => join(folder, page.replace(/\W/g, "_"));
  for (const page of pages) {
    mkdirSync(at(page));
    writeFileSync(join(at(page), "package.json"), `{ "type": "module" }\n`);
    for (const name of SAMPLE_FILES) cpSync(join(SAMPLE, name), join(at(page), name));
    mkdirSync(join(at(page), "node_modules"));
    symlinkSync(home, join(at(page), "node_modules", "bitexact"));
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return { folder, at, typeErrors: () => typeErrors(folder), remove };
}

/** Whether `npm run build` ran after the last change of what it reads. */
function isBuilt(): boolean {
  const last = join(root, "dist/types/index.d.ts");
  if (!existsSync(last)) return false;
  const built = statSync(last).mtimeMs;
  const names = ["package.json", "vite.config.ts", "tsconfig.json", "tsconfig.build.json"];
  for (const folder of ["src", "scripts", "build/kernels"]) {
    const found = readdirSync(join(root, folder), { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
    names.push(...found.map((entry) => relative(root, join(entry.parentPath, entry.name))));
  }
  return names.every((name) => statSync(join(root, name)).mtimeMs < built);
}

async function buildPackage(dist: string): Promise<void> {
  await build({ root, logLevel: "error", build: { outDir: dist, emptyOutDir: true } });
  execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", join(dist, "types")], { cwd: root });
}

const tsc = join(root, "node_modules/typescript/bin/tsc");

function typeErrors(folder: string): Map<string, string[]> {
  const compilerOptions = {
    ...JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")).compilerOptions,
    ...{
      rootDir: folder,
      typeRoots: [join(root, "node_modules/@types")],
      noEmit: true,
      skipLibCheck: false,
      noUncheckedIndexedAccess: false,
      allowJs: true,
      checkJs: true,
    },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*/block-*"] }));
  let output = "";
  try {
    execFileSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const errors = new Map<string, string[]>();
  for (const line of output.split("\n").filter((text) => text !== "")) {
    const file = /^(.*?)\(\d+,\d+\): error/.exec(line)?.[1] ?? "";
    const path = file === "" ? "" : resolve(process.cwd(), file);
    errors.set(path, [...(errors.get(path) ?? []), line]);
  }
  return errors;
}

/** Runs a program in `cwd` with the command line of the package on its path. */
export function run(workplace: Workplace, command: string, words: readonly string[], cwd: string): Promise<Ended> {
  const PATH = [join(workplace.folder, "bin"), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH, NODE_OPTIONS: "", NO_COLOR: "1" };
  return new Promise((settle) => {
    execFile(command, words, { cwd, env, encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === "number" ? error.code : 255) : 0;
      settle({ code, stdout, stderr });
    });
  });
}
