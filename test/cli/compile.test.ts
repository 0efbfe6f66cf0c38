/** `bitexact compile`, and what the other commands do with a compiled model. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { CompiledReport } from "../../src/cli/compiledReport.ts";
import type { RunReport } from "../../src/cli/run.ts";
import { bitexact, bundled, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const source = [cnn.model, "-e", cnn.encodings];
const file = join(scratch(), "model.bex");

async function json<T>(...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await bitexact(...words, "--json", "-");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

let report: CompiledReport;
beforeAll(async () => {
  report = await json("compile", ...source, "-o", file, "--capture", "/pw/Conv_output_0");
});

describe("compile", () => {
  test("says what is in the file, as inspect does", async () => {
    expect(report).toMatchObject({ schema: "bitexact-compiled/1", format: 1, target: "exact", captures: ["/pw/Conv_output_0"] });
    expect(report.plans.map(({ variant }) => variant)).toEqual(["usdot", "sdot", "simd"]);
    expect(report.bytes).toBe(readFileSync(file).length);
    expect(await json("inspect", file)).toEqual(report);
    const { stdout } = await bitexact("inspect", file);
    expect(stdout).toContain("every section intact");
    expect(stdout).toMatch(/\nsimd +16 /);
  });

  test("takes a target, some variants and shapes", async () => {
    const out = join(scratch(), "small.bex");
    const small = await json<CompiledReport>("compile", ...source, "-o", out, "--variant", "simd", "--target", "fixed-single");
    expect(small).toMatchObject({ target: "fixed-single", captures: [] });
    expect(small.plans).toHaveLength(1);
    expect(small.bytes).toBeLessThan(report.bytes);
    const refused = await bitexact("compile", ...source, "-o", out, "--shape", "input=2,1,8,8");
    expect(refused.code).toBe(2);
  });

  test("refuses a missing output, unknown variants and folders that are not there", async () => {
    expect(await bitexact("compile", ...source)).toMatchObject({ code: 2, stderr: expect.stringContaining("--out") });
    expect(await bitexact("compile", ...source, "-o", file, "--variant", "avx")).toMatchObject({ code: 2 });
    expect(await bitexact("compile", ...source, "-o", join(scratch(), "no", "model.bex"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("does not exist"),
    });
  });
});

describe("commands on a compiled model", () => {
  test("run gives the bytes of the model itself", async () => {
    const options = ["--inputs", cnn.inputs, "--quantized", "--capture", "/pw/Conv_output_0"];
    const own = await json<RunReport>("run", ...source, ...options);
    const compiled = await json<RunReport>("run", file, ...options);
    expect(compiled.tensors).toEqual(own.tensors);
    expect(compiled).toMatchObject({ target: own.target, variant: own.variant, samples: own.samples });
    const random = ["--random", "3", "--samples", "2"];
    expect((await json<RunReport>("run", file, ...random)).tensors).toEqual((await json<RunReport>("run", ...source, ...random)).tensors);
  });

  test("bench times its steps", async () => {
    const bench = await json<{ rows: { suite: string; name: string }[] }>("bench", file, "--runs", "2");
    expect(bench.rows.filter(({ suite }) => suite === "layer").map(({ name }) => name)).toContain("conv2");
  });

  test("options that were decided before are refused, all at once", async () => {
    const { code, stderr } = await bitexact("run", file, "-e", cnn.encodings, "--target", "exact", "--random", "1");
    expect(code).toBe(2);
    expect(stderr.match(/cli\/compiled/g)).toHaveLength(2);
  });

  test("verify and compile ask for the ONNX file, instead of reading a compiled model as a damaged one", async () => {
    const compiled = expect.stringContaining("is a compiled model. Give the ONNX file");
    expect(await bitexact("verify", file, "--random", "1")).toMatchObject({ code: 2, stderr: compiled });
    expect(await bitexact("compile", file, "-o", join(scratch(), "again.bex"))).toMatchObject({ code: 2, stderr: compiled });
    for (const command of ["inspect", "run", "bench"]) expect((await bitexact(command, "--help")).stdout).toContain(".bex file");
  });

  test("a damaged file is one typed error, from every command", async () => {
    const damaged = join(scratch(), "damaged.bex");
    const bytes = readFileSync(file);
    bytes[bytes.length - 5]! ^= 4;
    writeFileSync(damaged, bytes);
    for (const words of [
      ["inspect", damaged],
      ["run", damaged, "--random", "1", "--variant", "simd"],
      ["bench", damaged, "--variant", "simd"],
    ])
      expect(await bitexact(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining("bex/altered") });
  });
});
