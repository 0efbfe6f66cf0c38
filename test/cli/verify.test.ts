/** `bitexact verify`: verdicts, exit codes, the JSON report, recordings. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { VerifyReport } from "../../src/index.ts";
import type { NpyArray } from "../../src/io/npy.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { bitexact, bundled, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const conv = bundled("conv1d/w8a16_pc");

const base = (paths: typeof cnn): string[] => ["verify", paths.model, "-e", paths.encodings, "--inputs", paths.inputs];

/** Writes a recording with one element of `name` moved by `delta`; returns its path. */
function planted(recording: string, name: string, index: number, delta: number): string {
  const arrays = readNpz(new Uint8Array(readFileSync(recording)), recording);
  const array = arrays.get(name) as NpyArray;
  const data = array.data.slice() as Uint8Array;
  data[index] = (data[index] as number) + delta;
  arrays.set(name, { ...array, data });
  const file = join(scratch(), "planted.npz");
  writeFileSync(file, writeNpz(arrays));
  return file;
}

describe("verify", () => {
  test("a recorded 8-bit simulation is exact in local mode, and the report says so", async () => {
    const { code, stdout } = await bitexact(...base(cnn), "--against", cnn.sim, "--mode", "local", "--json", "-");
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as VerifyReport;
    expect(report).toMatchObject({ schema: "bitexact-verify/1", target: "exact", samples: 3, verdict: "exact" });
    expect(report.coverage).toEqual({ recorded: 10, matched: 10, unmatched: [] });
    const { local, endToEnd } = report.totals;
    expect(endToEnd).toBeNull();
    expect(local).toMatchObject({ explained: 0, undecided: 0, unexplained: 0, maxLsb: 0 });
    expect(local?.equal).toBe(local?.elements);
    expect(report.layers.reduce((sum, layer) => sum + (layer.local?.elements ?? 0), 0)).toBe(local?.elements);
    for (const layer of report.layers) expect(layer.nodes.length).toBeGreaterThan(0);
  });

  test("a recorded 16-bit simulation has nothing undecided or unexplained", async () => {
    const { code, stdout } = await bitexact(...base(conv), "--against", conv.sim, "--mode", "local", "--json", "-");
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as VerifyReport;
    expect(["exact", "explained"]).toContain(report.verdict);
    expect(report.totals.local).toMatchObject({ undecided: 0, unexplained: 0 });
  });

  test.each([
    ["8 bit", cnn, "/pw/Conv_output_0", 700, [0, 10, 7, 4]],
    ["16 bit", conv, "/c3/Conv_output_0", 250, [0, 15, 10]],
  ] as const)(
    "a planted +1 in a recording is a mismatch at %s: exit code 1, the layer and the element named",
    async (_, paths, tensor, at, index) => {
      const file = planted(paths.sim, tensor, at, 1);
      const { code, stdout } = await bitexact(...base(paths), "--against", file, "--mode", "local", "--json", "-");
      expect(code).toBe(1);
      const report = JSON.parse(stdout) as VerifyReport;
      expect(report.verdict).toBe("mismatch");
      const layer = report.layers.find((entry) => entry.tensor === tensor);
      expect(layer?.local?.unexplained).toBe(1);
      expect(layer?.local?.worst[0]).toMatchObject({ sample: 0, index });
      const { stdout: text } = await bitexact(...base(paths), "--against", file, "--mode", "local");
      expect(text).toContain("MISMATCH");
      expect(text.replace(/\s+/g, " ")).toMatch(/Worst: \S+\[[\d, ]+\] of sample 0: runtime/);
    },
  );

  test("dequantized recordings (float32) are read as well as codes", async () => {
    const arrays = readNpz(new Uint8Array(readFileSync(cnn.sim)), cnn.sim);
    const encodings = JSON.parse(readFileSync(cnn.encodings, "utf8")) as {
      activation_encodings: { name: string; scale: number[]; offset: number[] }[];
    };
    for (const { name, scale, offset } of encodings.activation_encodings) {
      const array = arrays.get(name) as NpyArray;
      const s = Math.fround(scale[0] as number);
      const data = Float32Array.from(array.data as Uint8Array, (q) => s * (q + (offset[0] as number)));
      arrays.set(name, { ...array, type: "float32", data });
    }
    const file = join(scratch(), "float.npz");
    writeFileSync(file, writeNpz(arrays));
    const { code, stdout } = await bitexact(...base(cnn), "--against", file, "--mode", "local", "--json", "-");
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as VerifyReport).verdict).toBe("exact");
  });

  test("a recorded name the model lacks is listed; a recording of which nothing matches is bad input", async () => {
    const arrays = readNpz(new Uint8Array(readFileSync(cnn.sim)), cnn.sim);
    arrays.set("stranger", arrays.get("output") as NpyArray);
    const folder = scratch();
    writeFileSync(join(folder, "extra.npz"), writeNpz(arrays));
    const listed = await bitexact(...base(cnn), "--against", join(folder, "extra.npz"), "--mode", "local");
    expect(listed.code).toBe(0);
    expect(listed.stdout).toContain("stranger");
    writeFileSync(join(folder, "none.npz"), writeNpz(new Map([["stranger", arrays.get("output") as NpyArray]])));
    const none = await bitexact(...base(cnn), "--against", join(folder, "none.npz"), "--mode", "local");
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("stranger");
  });

  test("--samples takes the first samples of files and their recordings", async () => {
    const { code, stdout } = await bitexact(...base(cnn), "--against", cnn.sim, "--mode", "local", "--samples", "2", "--json", "-");
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as VerifyReport;
    expect(report.samples).toBe(2);
    expect(report.verdict).toBe("exact");
  });

  test.each(["reference", "sim-f64"])("random samples are exact against %s in both modes", async (source) => {
    const { code, stdout } = await bitexact(
      "verify",
      cnn.model,
      "-e",
      cnn.encodings,
      "--random",
      "5",
      "--samples",
      "3",
      "--against",
      source,
      "--json",
      "-",
    );
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as VerifyReport;
    expect(report.verdict).toBe("exact");
    expect(report.totals.endToEnd?.differing).toBe(0);
  });

  test("the table fits 80 columns and the JSON file is what stdout would have been", async () => {
    const file = join(scratch(), "report.json");
    const { code, stdout } = await bitexact(...base(cnn), "--against", cnn.sim, "--mode", "local", "--json", file);
    expect(code).toBe(0);
    expect(stdout).toContain("EXACT");
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const again = await bitexact(...base(cnn), "--against", cnn.sim, "--mode", "local", "--json", "-");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(again.stdout));
  });

  test("a recording of more samples than inputs says how many it may hold", async () => {
    const words = ["verify", cnn.model, "-e", cnn.encodings, "--random", "1", "--against", cnn.sim];
    expect(await bitexact(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining("3 samples, give 3 inputs") });
  });
});
