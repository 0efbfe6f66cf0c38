// The folder in which apps are built: the packed package installed as a user would, the apps, and links to their tools.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
const TOOLS = join(here, "node_modules");
const LINKED = {
  esbuild: TOOLS,
  rollup: TOOLS,
  webpack: TOOLS,
  "@rollup": TOOLS,
  vite: join(root, "node_modules"),
  typescript: join(root, "node_modules"),
};

function npm(args, cwd) {
  const { status, stdout, stderr } = spawnSync("npm", [...args, "--ignore-scripts", "--no-audit", "--no-fund"], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")}: ${stderr.trim().split("\n").slice(-4).join(" | ")}`);
  return stdout;
}

/** Packs the built package and installs the tarball. Returns { folder, files: names in the tarball, bytes of the tarball, installed: packages, remove() }. */
export function openWorkshop() {
  const folder = mkdtempSync(join(tmpdir(), "bitexact-apps-"));
  const [{ filename, files, size }] = JSON.parse(npm(["pack", "--json", "--pack-destination", folder], root));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ name: "app", private: true, type: "module" })}\n`);
  npm(["install", "--offline", `./${filename}`], folder);
  const installed = readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."));
  for (const [name, from] of Object.entries(LINKED)) {
    if (existsSync(join(from, name))) symlinkSync(join(from, name), join(folder, "node_modules", name));
  }
  cpSync(join(here, "fixtures"), folder, { recursive: true });
  const network = join(folder, "node_modules", "bitexact", "models", "digits_cnn", "w8a8_pc");
  for (const place of ["examples", "vite/public"]) {
    mkdirSync(join(folder, place), { recursive: true });
    for (const name of ["model.onnx", "model.encodings"]) cpSync(join(network, name), join(folder, place, name));
  }
  compileModels(folder);
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return { folder, files: files.map(({ path }) => path), size, installed, remove };
}

/** model.bex beside each model, by the package's own command. */
function compileModels(folder) {
  const models = join(folder, "node_modules", "bitexact", "models");
  for (const name of ["digits_cnn/w8a8_pc", "tiny_transformer/w8a8_pc"]) {
    const model = join(models, name, "model");
    const args = ["compile", `${model}.onnx`, "-e", `${model}.encodings`, "-o", `${model}.bex`];
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "node_modules", "bitexact", "dist", "cli.js"), ...args], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`bitexact ${args.join(" ")}: ${stderr}`);
  }
}

export const toolMissing = (name) => (existsSync(join(TOOLS, name)) ? null : `${name} is not installed (npm run apps)`);

/** A tool's own program: in the package of this platform, or where an install script that we do not need would put it. */
export function platformBinary(scope, path, other) {
  const folder = join(TOOLS, scope);
  const candidates = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, path)) : [];
  return [...candidates, join(TOOLS, other)].find((file) => spawnSync(file, ["--version"], { stdio: "ignore" }).status === 0) ?? null;
}

/** Runs a program in a folder of the workshop. Returns its output; throws with the end of its complaints when it fails. */
export function run(command, args, cwd, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, NODE_OPTIONS: "", ...env }, timeout: 180_000 });
    const out = [];
    const complaints = [];
    child.stdout.on("data", (part) => out.push(part));
    child.stderr.on("data", (part) => complaints.push(part));
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) return resolve(Buffer.concat(out).toString());
      const why = Buffer.concat([...complaints, ...out])
        .toString()
        .trim()
        .split("\n")
        .slice(-6)
        .join(" | ");
      reject(new Error(`exit ${status}: ${why}`));
    });
  });
}
