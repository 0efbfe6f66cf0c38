/** Compiled models compute what sessions compute, byte for byte, and say the same of wrong feeds. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import type { CompiledSession } from "../../src/bex/session.ts";
import { type CompileModelOptions, compileModel, type Model, type RunOptions, Session, Tensor, type Variant } from "../../src/index.ts";
import { GEOMETRIES } from "../../src/kernels/geometries.ts";
import { instantiateKernels, moduleGeometry } from "../../src/kernels/instantiate.ts";
import { createMemory } from "../../src/kernels/memory.ts";
import { kernelsFor } from "../../src/runtime/kernelSource.ts";
import { loadCompiled } from "../../src/runtimeEntry.ts";
import { bundled, feedsOf, qdqModel, qoperatorModel, recurrentModel } from "./models.ts";

const SEED = 21;
const ALL: readonly Variant[] = ["usdot", "sdot", "simd"];
const usable = (await Promise.all(ALL.map(async (variant) => ((await kernelsFor(variant).catch(() => null)) ? [variant] : [])))).flat();

const MODELS: readonly (readonly [string, () => Promise<Model>])[] = [
  ["digits_cnn/w8a8_pc", () => bundled("digits_cnn/w8a8_pc")],
  ["digits_cnn/w4a8_pc", () => bundled("digits_cnn/w4a8_pc")],
  ["conv1d/w8a16_pc", () => bundled("conv1d/w8a16_pc")],
  ["tiny_transformer/w8a8_pc", () => bundled("tiny_transformer/w8a8_pc")],
  ["a QDQ model", qdqModel],
];

/** Compares results of both, with all captures as codes and without any as floats. */
async function expectSame(model: Model, options: CompileModelOptions, variant: Variant): Promise<void> {
  const { target, shapes = {} } = options;
  const bytes = await compileModel(model, { ...options, capture: "all" });
  const session = await Session.create(model, { variant, shapes, ...(target ? { target } : {}) });
  const compiled = await loadCompiled(bytes, { variant });
  expect(compiled).toMatchObject({ variant, target: session.target });
  const feeds = feedsOf(model, SEED, shapes);
  const runs: RunOptions[] = [{}, { quantized: true }, { capture: "all", quantized: true }];
  for (const run of runs) {
    const expected = session.runSync(feeds, run);
    const found = compiled.runSync(feeds, run);
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, tensor] of Object.entries(expected)) expect(found[name], `${name} ${JSON.stringify(run)}`).toEqual(tensor);
  }
  session.dispose();
  compiled.dispose();
}

describe.each(MODELS)("%s", (_, load) => {
  test.each(["exact", "fixed-single", "fixed-double", "ort"] as const)(
    `computes as its session does, every value, target %s (${usable})`,
    async (target) => {
      const model = await load();
      const session = await Session.create(model, { target }).catch(() => null);
      if (!session) {
        await expect(compileModel(model, { target })).rejects.toMatchObject({ name: "ModelError" });
        return;
      }
      session.dispose();
      for (const variant of usable) await expectSame(model, { target, variants: [variant] }, variant);
    },
  );
});

describe("other kinds of models", () => {
  test("a graph in QOperator form keeps its target", async () => {
    const model = await qoperatorModel();
    for (const variant of usable) await expectSame(model, {}, variant);
    expect((await loadCompiled(await compileModel(model))).target).toBe("ort");
  });

  test("a recurrent one with its batch bound", async () => {
    const model = await recurrentModel();
    for (const variant of usable) await expectSame(model, { shapes: { x: [5, 3, 4] } }, variant);
    await expect(compileModel(model)).rejects.toMatchObject({ code: "graph/unbound-dim" });
  });
});

describe("a compiled session", () => {
  const open = async (options: CompileModelOptions = {}): Promise<{ model: Model; compiled: CompiledSession }> => {
    const model = await bundled("digits_cnn/w8a8_pc");
    return { model, compiled: await loadCompiled(await compileModel(model, options)) };
  };

  test("names its inputs and outputs as the model does", async () => {
    const { model, compiled } = await open();
    expect(compiled.inputs).toEqual(model.inputs);
    expect(compiled.outputs).toEqual(model.outputs);
  });

  test("says of wrong feeds, fetches and outputs what a session says", async () => {
    const { model, compiled } = await open();
    const session = await Session.create(model);
    const good = feedsOf(model, SEED);
    const x = (type: "float32" | "int8" | "uint8", data: ArrayBufferView, dims: number[]): Record<string, Tensor> => ({
      input: new Tensor(type, data, dims),
    });
    const calls: readonly (readonly [object, RunOptions])[] = [
      [{}, {}],
      [x("float32", new Float32Array(4), [1, 1, 2, 2]), {}],
      [x("int8", new Int8Array(64), [1, 1, 8, 8]), {}],
      [{ ...good, other: good.input }, {}],
      [{ input: 3 }, {}],
      [good, { fetches: ["nothing"] }],
      [good, { outputs: { output: new Tensor("float32", new Float32Array(3), [3]) } }],
    ];
    for (const [feeds, options] of calls) {
      const said = (run: () => unknown): unknown => {
        try {
          return run();
        } catch (error) {
          return { code: (error as { code: string }).code, message: (error as Error).message };
        }
      };
      const expected = said(() => session.runSync(feeds as never, options));
      expect(expected).toHaveProperty("code");
      expect(said(() => compiled.runSync(feeds as never, options))).toEqual(expected);
    }
  });

  test("captures what it was compiled for, and refuses other values", async () => {
    const { model, compiled } = await open({ capture: ["/pw/Conv_output_0"] });
    const feeds = feedsOf(model, SEED);
    expect(Object.keys(compiled.runSync(feeds)).sort()).toEqual(["output"]);
    expect(Object.keys(compiled.runSync(feeds, { capture: ["/pw/Conv_output_0"] })).sort()).toEqual(["/pw/Conv_output_0", "output"]);
    expect(() => compiled.runSync(feeds, { capture: ["/relu1/Relu_output_0"] })).toThrow("not among the captures");
    await expect(open({ capture: ["nothing"] })).rejects.toMatchObject({ code: "run/unknown-value" });
  });

  test("runs after an abort, writes to given outputs, and is gone once disposed", async () => {
    const { model, compiled } = await open();
    const feeds = feedsOf(model, SEED);
    const outputs = compiled.runSync(feeds);
    await expect(compiled.run(feeds, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "session/aborted" });
    expect((await compiled.run(feeds, { outputs })).output).toBe(outputs.output);
    compiled.dispose();
    compiled.dispose();
    expect(() => compiled.runSync(feeds)).toThrow("disposed");
  });

  test("is chosen among the variants in the file", async () => {
    const model = await bundled("digits_cnn/w8a8_pc");
    expect((await loadCompiled(await compileModel(model, { variants: ["simd"] }))).variant).toBe("simd");
    expect((await loadCompiled(await compileModel(model))).variant).toBe(usable[0]);
    const sdot = await compileModel(model, { variants: ["sdot"] });
    if (!usable.includes("sdot")) await expect(loadCompiled(sdot)).rejects.toMatchObject({ code: "session/variant" });
    await expect(loadCompiled(sdot, { variant: "simd" })).rejects.toMatchObject({ code: "bex/variant" });
    await expect(loadCompiled(sdot, { variant: "avx" as never })).rejects.toMatchObject({ code: "option/variant" });
    await expect(compileModel(model, { variants: [] })).rejects.toMatchObject({ code: "option/variants" });
  });
});

describe("a file", () => {
  test("has the same bytes each time it is compiled, and bytes that variants share once", async () => {
    const model = await bundled("tiny_transformer/w8a8_pc");
    const all = await compileModel(model);
    expect(await compileModel(model)).toEqual(all);
    const alone = await Promise.all(ALL.map((variant) => compileModel(model, { variants: [variant] })));
    expect(all.length).toBeLessThan(alone.reduce((sum, { length }) => sum + length, 0));
  });

  test("is read from a path, a file address, a blob, a response, and a server in pieces", async () => {
    const model = await bundled("digits_cnn/w8a8_pc");
    const bytes = (await compileModel(model, { variants: usable.slice(0, 1) })) as Uint8Array<ArrayBuffer>;
    const feeds = feedsOf(model, SEED);
    const expected = (await loadCompiled(bytes)).runSync(feeds);
    const path = join(mkdtempSync(join(tmpdir(), "bitexact-bex-")), "model.bex");
    writeFileSync(path, bytes);
    const server = await serving(bytes);
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sources = [bytes.buffer, path, pathToFileURL(path), new Blob([bytes]), new Response(bytes), `${address}/model`];
    for (const source of sources) expect((await loadCompiled(source)).runSync(feeds)).toEqual(expected);
    await expect(loadCompiled(`${address}/cut`)).rejects.toMatchObject({ code: "bex/truncated" });
    await expect(loadCompiled(`${address}/missing`)).rejects.toMatchObject({ code: "source/unreadable" });
    await expect(loadCompiled(`${path}.not`)).rejects.toMatchObject({ code: "source/unreadable" });
    server.close();
  });

  test("is planned with the geometry that the modules declare", async () => {
    for (const variant of usable) {
      const { module } = await kernelsFor(variant);
      expect(moduleGeometry(instantiateKernels(module, createMemory(65536)), variant)).toEqual(GEOMETRIES[variant]);
    }
  });
});

/** A server that writes the file in pieces of odd sizes. */
async function serving(bytes: Uint8Array): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === "/missing") {
      response.writeHead(404).end();
      return;
    }
    const end = request.url === "/cut" ? bytes.length - 100 : bytes.length;
    for (let at = 0; at < end; at += 997) response.write(bytes.subarray(at, Math.min(end, at + 997)));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
