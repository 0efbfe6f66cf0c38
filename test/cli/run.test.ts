/** `bitexact run` on the bundled networks: files, names, samples, hashes. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunReport } from "../../src/cli/run.ts";
import { type NpyArray, writeNpy } from "../../src/io/npy.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { bitexact, bundled, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const npz = (file: string): Map<string, NpyArray> => readNpz(new Uint8Array(readFileSync(file)), file);

async function runJson(...words: string[]): Promise<RunReport> {
  const { code, stdout, stderr } = await bitexact("run", cnn.model, "-e", cnn.encodings, ...words, "--json", "-");
  expect(stderr.includes("error"), stderr).toBe(false);
  expect(code).toBe(0);
  return JSON.parse(stdout) as RunReport;
}

describe("run", () => {
  test("codes of every recorded tensor equal AIMET's own, end to end", async () => {
    const out = join(scratch(), "all.npz");
    await runJson("--inputs", cnn.inputs, "--quantized", "--capture", "all", "--out", out);
    const ours = npz(out);
    const recorded = npz(cnn.sim);
    expect(recorded.size).toBeGreaterThan(5);
    for (const [name, { type, dims, data }] of recorded) {
      expect(ours.get(name), name).toMatchObject({ type, dims: [...dims] });
      expect(ours.get(name)?.data, name).toEqual(data);
    }
  });

  test("two threads give the hashes of one, and the report says how many there were", async () => {
    const words = ["--inputs", cnn.inputs, "--capture", "all", "--quantized"];
    const [one, two] = [await runJson(...words), await runJson(...words, "--threads", "2")];
    expect([one.threads, two.threads]).toEqual([1, 2]);
    expect(two.tensors).toEqual(one.tensors);
    for (const wrong of ["0", "9", "1.5", "two"])
      expect((await bitexact("run", cnn.model, "-e", cnn.encodings, "--random", "1", "--threads", wrong)).code).toBe(2);
  });

  test("outputs are float32 by default, three samples along the leading dimension, hashed", async () => {
    const out = join(scratch(), "out.npz");
    const report = await runJson("--inputs", cnn.inputs, "--out", out);
    expect(report).toMatchObject({ schema: "bitexact-run/1", target: "exact", samples: 3 });
    expect(report.tensors).toHaveLength(1);
    expect(report.tensors[0]).toMatchObject({ name: "output", type: "float32", dims: [3, 10], scale: null, zeroPoint: null });
    expect(report.tensors[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
    const saved = npz(out).get("output");
    expect(saved?.type).toBe("float32");
    expect([...(saved?.dims ?? [])]).toEqual([3, 10]);
    expect(Math.max(...((saved?.data ?? []) as Float32Array))).toBe(report.tensors[0]?.max);
  });

  test("one .npy per input is the same as the .npz", async () => {
    const file = join(scratch(), "input.npy");
    writeFileSync(file, writeNpy(npz(cnn.inputs).get("input") as NpyArray));
    const one = await runJson("--input", `input=${file}`, "--quantized");
    const other = await runJson("--inputs", cnn.inputs, "--quantized");
    expect(one.tensors).toEqual(other.tensors);
  });

  test("integer codes of the input's own type are accepted as they are", async () => {
    const file = join(scratch(), "codes.npz");
    writeFileSync(file, writeNpz(new Map([["input", npz(cnn.sim).get("input") as NpyArray]])));
    const codes = await runJson("--inputs", file, "--quantized");
    const floats = await runJson("--inputs", cnn.inputs, "--quantized");
    expect(codes.tensors).toEqual(floats.tensors);
  });

  test("the same seed gives the same bytes, another seed others; samples are counted", async () => {
    const [a, b, c] = [
      await runJson("--random", "7", "--samples", "2"),
      await runJson("--random", "7", "--samples", "2"),
      await runJson("--random", "8", "--samples", "2"),
    ];
    expect(a.samples).toBe(2);
    expect(a.tensors[0]?.dims).toEqual([2, 10]);
    expect(b.tensors).toEqual(a.tensors);
    expect(c.tensors[0]?.sha256).not.toBe(a.tensors[0]?.sha256);
  });

  test("every variant this engine accepts gives the same bytes as simd", async () => {
    const simd = await runJson("--inputs", cnn.inputs, "--capture", "all", "--variant", "simd");
    const auto = await runJson("--inputs", cnn.inputs, "--capture", "all");
    expect(simd.variant).toBe("simd");
    expect(auto.tensors).toEqual(simd.tensors);
  });

  test("captured values are listed by name; an unknown name is bad input", async () => {
    const report = await runJson("--inputs", cnn.inputs, "--capture", "/relu1/Relu_output_0,/pool/MaxPool_output_0");
    expect(report.tensors.map(({ name }) => name).sort()).toEqual(["/pool/MaxPool_output_0", "/relu1/Relu_output_0", "output"]);
    const { code, stderr } = await bitexact("run", cnn.model, "-e", cnn.encodings, "--inputs", cnn.inputs, "--capture", "nothing");
    expect(code).toBe(2);
    expect(stderr).toContain("nothing");
  });

  test("the text for people names shape, range and time, and fits 80 columns", async () => {
    const out = join(scratch(), "out.npz");
    const { code, stdout } = await bitexact("run", cnn.model, "-e", cnn.encodings, "--inputs", cnn.inputs, "--out", out);
    expect(code).toBe(0);
    expect(stdout).toContain("3×10");
    expect(stdout).toContain("ms per sample");
    expect(existsSync(out)).toBe(true);
  });
});
