/** What the package ships: the size of the core, that browsers can load it, and that it serves a convolutional network alone. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closure } from "../scripts/closure.mjs";
import { GraphBuilder } from "../src/graph/build.ts";
import { encodeOnnx } from "../src/onnx/encode.ts";

const root = resolve(import.meta.dirname, "..");
const CORE_LIMIT = 60 * 1024; // bytes of gzip -9 of the core and the kernels of one variant
const RUNTIME_LIMIT = 45_000; // bitexact/runtime with one variant's kernels

let dist = "";
beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "bitexact-bundle-"));
  await build({ root, logLevel: "error", build: { outDir: dist, emptyOutDir: true } });
}, 60_000);
afterAll(() => rmSync(dist, { recursive: true, force: true }));

const read = (name: string): Buffer => readFileSync(join(dist, name));
const packed = (name: string): number => gzipSync(read(name), { level: 9 }).length;

/** Runs a model in a process of its own on a copy of the bundle without `missing`. Returns the outputs' names, or the error. */
function runWithout(missing: readonly string[], model: string, encoded = true, options = {}, more = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "bitexact-part-"));
  try {
    cpSync(dist, folder, { recursive: true });
    for (const name of missing) rmSync(join(folder, name));
    const files = resolve(root, "models", model, "model");
    const script = `
      import { loadModel, Session, Tensor } from ${JSON.stringify(pathToFileURL(join(folder, "index.js")).href)};
      const model = await loadModel(${JSON.stringify(`${files}.onnx`)}, ${encoded ? JSON.stringify({ encodings: `${files}.encodings` }) : "{}"});
      const session = await Session.create(model, ${JSON.stringify(options)});
      const { name, shape } = model.inputs[0];
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
      const out = session.runSync({ [name]: new Tensor("float32", new Float32Array(dims.reduce((a, b) => a * b, 1)), dims) });
      console.log(Object.keys(out).join());
      ${more}`;
    return execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the bundle", () => {
  it("runs a model on two threads, which do not keep the process alive", () => {
    expect(runWithout([], "digits_cnn/w8a8_pc", true, { threads: 2 }, "console.log(session.threads)")).toBe("output\n2\n");
    expect(read("threads.js").toString()).toMatch(
      /new Worker\(new URL\([`"]\.\/threadWorker\.js[`"],import\.meta\.url\),\{type:[`"]module[`"]\}\)/,
    );
  });

  it("runs on one thread, and says why, where the script of threads is missing", () => {
    const said = runWithout(["threadWorker.js"], "digits_cnn/w8a8_pc", true, { threads: 2 }, "console.log(session.threadsReason)");
    expect(said).toMatch(/^output\nthreads did not start: /);
  });

  it(`has a core of at most ${CORE_LIMIT} bytes, compressed, with the kernels of any one variant`, () => {
    const core = closure(dist, "index.js").reduce((sum, name) => sum + packed(name), 0);
    for (const variant of ["simd", "usdot", "sdot"]) {
      const kernels = packed(`kernels/${variant}.wasm`);
      expect(core + kernels, `core ${core}, ${variant} ${kernels}`).toBeLessThanOrEqual(CORE_LIMIT);
    }
  });

  it("names no module of Node in an import that a browser or its bundler would follow", () => {
    for (const entry of ["index.js", "everything.js", "attachEncodings.js", "executors.js", "doctor.js"])
      for (const name of closure(dist, entry)) expect(read(name).toString(), name).not.toMatch(/(?:from|import)\s*\(?\s*["'`]node:/);
  });

  it(`has a runtime for compiled models of at most ${RUNTIME_LIMIT} bytes with one variant's kernels, in one file`, () => {
    expect(closure(dist, "runtime.js")).toEqual(["runtime.js"]);
    expect(read("runtime.js").toString()).not.toMatch(/import\(\s*["'`]\./);
    for (const variant of ["simd", "usdot", "sdot"])
      expect(packed("runtime.js") + packed(`kernels/${variant}.wasm`), variant).toBeLessThanOrEqual(RUNTIME_LIMIT);
  });

  it("runs compiled models with the runtime and the kernels alone, and float kernels where the model has floats", async () => {
    const { compileModel, loadModel } = await import(/* @vite-ignore */ pathToFileURL(join(dist, "index.js")).href);
    const folder = mkdtempSync(join(tmpdir(), "bitexact-runtime-"));
    mkdirSync(join(folder, "kernels"));
    cpSync(join(dist, "runtime.js"), join(folder, "runtime.js"));
    const run = (model: string): string => {
      const script = `
        import { loadCompiled, Tensor } from ${JSON.stringify(pathToFileURL(join(folder, "runtime.js")).href)};
        const session = await loadCompiled(${JSON.stringify(model)});
        const [{ name, shape }] = session.inputs;
        const size = shape.reduce((a, b) => a * b, 1);
        const { output } = session.runSync({ [name]: new Tensor("float32", new Float32Array(size).fill(0.25), shape) });
        console.log(session.variant, output.data.join());`;
      try {
        return execFileSync(process.execPath, ["--input-type=module", "-e", script], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        });
      } catch (error) {
        return String((error as { stderr?: string }).stderr);
      }
    };
    const compiled = async (model: string): Promise<string> => {
      const files = resolve(root, "models", model, "model");
      const path = join(folder, `${model.replace("/", "-")}.bex`);
      writeFileSync(
        path,
        await compileModel(await loadModel(`${files}.onnx`, { encodings: `${files}.encodings` }), { variants: ["simd"] }),
      );
      return path;
    };
    const cnn = await compiled("digits_cnn/w8a8_pc");
    expect(run(cnn)).toContain("kernels/not-found");
    cpSync(join(dist, "kernels", "simd.wasm"), join(folder, "kernels", "simd.wasm"));
    expect(run(cnn)).toMatch(/^simd -?\d/);
    const transformer = await compiled("tiny_transformer/w8a8_pc");
    expect(run(transformer)).toMatch(/(?:float|rest-signed)\.wasm/);
    for (const name of ["float.wasm", "rest-signed.wasm"]) cpSync(join(dist, "kernels", name), join(folder, "kernels", name));
    expect(run(transformer)).toMatch(/^simd -?\d/);
    rmSync(folder, { recursive: true, force: true });
  });

  it("names its own files so that bundlers see them, each large enough not to be embedded", () => {
    const text = ["bitexact.js", "worker.js", "threads.js", "runtime.js"].map((name) => read(name).toString()).join("\n");
    const named = [...text.matchAll(/new URL\([`"']\.\/([\w/.-]+)[`"'],import\.meta\.url\)/g)].map(([, name]) => name as string);
    for (const name of ["simd", "usdot", "sdot", "float", "rest-signed", "rest-unsigned"]) {
      expect(named).toContain(`kernels/${name}.wasm`);
      expect(read(`kernels/${name}.wasm`).length, name).toBeGreaterThan(4096);
    }
    expect(named).toEqual(expect.arrayContaining(["sessionWorker.js", "threadWorker.js"]));
    for (const name of named) expect(read(name).length, name).toBeGreaterThan(0);
  });

  it("has an entry for require beside each entry, and inline kernels equal to the files", () => {
    for (const entry of ["index", "inline", "verify", "worker", "runtime"])
      expect(read(`${entry}.cjs`).toString()).toContain(`./${entry}.js`);
    for (const name of ["simd", "usdot", "sdot", "float", "rest-signed", "rest-unsigned"]) {
      const text = /base64,([\w+/=]+)/.exec(read(`${name}.js`).toString())?.[1] ?? "";
      expect(Buffer.from(text, "base64").equals(read(`kernels/${name}.wasm`)), name).toBe(true);
    }
  });

  it("keeps the names of public classes", async () => {
    const api = await import(/* @vite-ignore */ pathToFileURL(join(dist, "index.js")).href);
    for (const name of ["Session", "Tensor", "ModelError", "SessionError"]) expect(api[name].name).toBe(name);
  });

  it("runs a convolutional network without what is loaded on demand, and asks for it for a transformer", () => {
    const rest = [
      "everything.js",
      "flaws.js",
      "qdq.js",
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

  it("asks for what a fixed target needs while the session is made", () => {
    const fixed = { target: "fixed-single" };
    expect(runWithout(["everything.js"], "digits_cnn/w8a8_pc", true, fixed)).toContain("everything.js");
    expect(runWithout([], "digits_cnn/w8a8_pc", true, fixed)).not.toContain("Error");
  });

  it("runs quantize and dequantize operators with a file of their own", () => {
    const b = new GraphBuilder("qdq");
    b.constant("scale", [0.5], []);
    b.constant("zero", [3], [], "uint8");
    const pair = (x: string): string => b.node("DequantizeLinear", [b.node("QuantizeLinear", [x, "scale", "zero"]), "scale", "zero"]);
    b.input("x", [1, 1, 4, 4]);
    b.output(pair(b.node("MaxPool", [pair("x")], { attrs: { kernel_shape: [2, 2] } })));
    mkdirSync(join(dist, "pooled"));
    writeFileSync(join(dist, "pooled", "model.onnx"), encodeOnnx(b.build()));
    const rest = ["everything.js", "flaws.js", "kernels/float.wasm"];
    expect(runWithout(rest, join(dist, "pooled"), false)).not.toContain("Error");
    expect(runWithout(["qdq.js"], join(dist, "pooled"), false)).toContain("qdq.js");
  });

  it("says what is wrong with a broken file, and why an operator refuses a model", async () => {
    const { loadModel } = await import(/* @vite-ignore */ pathToFileURL(join(dist, "index.js")).href);
    await expect(loadModel(new Uint8Array([1, 2, 3]))).rejects.toThrow("begins with byte 0x1");
    const b = new GraphBuilder("bad");
    b.input("x", [1, 4]);
    b.output(b.node("Flatten", ["x"], { attrs: { axis: 7 } }));
    await expect(loadModel(encodeOnnx(b.build()))).rejects.toThrow("axis 7 is out of range");
  });

  it("asks for it when operators of the core are left without encodings", () => {
    expect(runWithout(["kernels/float.wasm"], "digits_cnn/w8a8_pc", false)).toContain("float.wasm");
    expect(runWithout([], "digits_cnn/w8a8_pc", false)).not.toContain("Error");
  });
});
