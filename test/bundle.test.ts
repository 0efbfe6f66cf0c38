/** What the package ships: the size of the core, that browsers can load it, and that it serves a convolutional network alone. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closure } from "../scripts/closure.mjs";

const root = resolve(import.meta.dirname, "..");
const CORE_LIMIT = 61_500; // bytes of gzip -9
const KERNEL_LIMIT = 13_200;

let dist = "";
beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "bitexact-bundle-"));
  await build({ root, logLevel: "error", build: { outDir: dist, emptyOutDir: true } });
});
afterAll(() => rmSync(dist, { recursive: true, force: true }));

const read = (name: string): Buffer => readFileSync(join(dist, name));
const packed = (name: string): number => gzipSync(read(name), { level: 9 }).length;

/** Runs a model in a process of its own on a copy of the bundle without `missing`. Returns the outputs' names, or the error. */
function runWithout(missing: readonly string[], model: string, encoded = true): string {
  const folder = mkdtempSync(join(tmpdir(), "bitexact-part-"));
  try {
    cpSync(dist, folder, { recursive: true });
    for (const name of missing) rmSync(join(folder, name));
    const files = join(root, "models", model, "model");
    const script = `
      import { loadModel, Session, Tensor } from ${JSON.stringify(pathToFileURL(join(folder, "index.js")).href)};
      const model = await loadModel(${JSON.stringify(`${files}.onnx`)}, ${encoded ? JSON.stringify({ encodings: `${files}.encodings` }) : "{}"});
      const session = await Session.create(model);
      const { name, shape } = model.inputs[0];
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
      const out = session.runSync({ [name]: new Tensor("float32", new Float32Array(dims.reduce((a, b) => a * b, 1)), dims) });
      console.log(Object.keys(out).join());`;
    return execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the bundle", () => {
  it(`has a core of at most ${CORE_LIMIT} bytes, compressed, and kernels of at most ${KERNEL_LIMIT} per variant`, () => {
    const core = closure(dist, "index.js");
    const sizes = core.map((name) => `${name} ${packed(name)}`).join(", ");
    expect(
      core.reduce((sum, name) => sum + packed(name), 0),
      sizes,
    ).toBeLessThanOrEqual(CORE_LIMIT);
    for (const variant of ["simd", "usdot", "sdot"]) expect(packed(`kernels/${variant}.wasm`), variant).toBeLessThanOrEqual(KERNEL_LIMIT);
  });

  it("names no module of Node in an import that a browser or its bundler would follow", () => {
    for (const entry of ["index.js", "everything.js", "attachEncodings.js", "executors.js"])
      for (const name of closure(dist, entry)) expect(read(name).toString(), name).not.toMatch(/(?:from|import)\s*\(?\s*["'`]node:/);
  });

  it("keeps the names of public classes", async () => {
    const api = await import(/* @vite-ignore */ pathToFileURL(join(dist, "index.js")).href);
    for (const name of ["Session", "Tensor", "ModelError", "SessionError"]) expect(api[name].name).toBe(name);
  });

  it("runs a convolutional network without what is loaded on demand, and asks for it for a transformer", () => {
    const rest = [
      "everything.js",
      "full.js",
      "proofs.js",
      "kernels/float.wasm",
      "kernels/rest-signed.wasm",
      "kernels/rest-unsigned.wasm",
      "executors.js",
    ];
    expect(runWithout(rest, "digits_cnn/w8a8_pc").trim()).not.toBe("");
    expect(runWithout(rest, "digits_cnn/w8a8_pc")).not.toContain("Error");
    expect(runWithout(rest, "tiny_transformer/w8a8_pc")).toMatch(/everything\.js|full\.js|float\.wasm/);
    expect(runWithout([], "tiny_transformer/w8a8_pc")).not.toContain("Error");
  });

  it("asks for the kernels that 16-bit activations need", () => {
    expect(runWithout(["kernels/rest-signed.wasm", "kernels/rest-unsigned.wasm"], "conv1d/w8a16_pc")).toContain("rest-");
    expect(runWithout([], "conv1d/w8a16_pc")).not.toContain("Error");
  });

  it("asks for it when operators of the core are left without encodings", () => {
    expect(runWithout(["kernels/float.wasm"], "digits_cnn/w8a8_pc", false)).toContain("float.wasm");
    expect(runWithout([], "digits_cnn/w8a8_pc", false)).not.toContain("Error");
  });
});
