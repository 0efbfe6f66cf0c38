/** `bitexact bench`: rows, tables and traces. Times are only checked for being times. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Trace } from "../../src/cli/trace.ts";
import { loadModel, Session, Tensor } from "../../src/index.ts";
import { inspectModel } from "../../src/inspect.ts";
import type { BenchReport } from "../../src/report/benchReport.ts";
import { profileSession } from "../../src/session/profile.ts";
import { bitexact, bundled, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const bench = (...words: string[]) => bitexact("bench", cnn.model, "-e", cnn.encodings, "--runs", "3", ...words);

describe("bench", () => {
  test("rows: the model, its layers in order, its kernels; layers and kernels add up to the same times and MACs", async () => {
    const { code, stdout, stderr } = await bench("--json", "-", "--variant", "simd", "--target", "fixed-single");
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect(report).toMatchObject({ schema: "bitexact-bench/1", runs: 3 });
    const of = (suite: string) => report.rows.filter((row) => row.suite === suite);
    for (const row of report.rows) {
      expect(Object.keys(row).join()).toBe("suite,name,runtime,variant,target,engine,threads,medianMs,minMs,gops,percentOfPeak");
      expect(row).toMatchObject({ runtime: "bitexact", variant: "simd", target: "fixed-single", threads: 1, percentOfPeak: null });
      expect(row.medianMs).toBeGreaterThanOrEqual(row.minMs);
    }
    expect(of("model")).toHaveLength(1);
    expect(of("layer").map(({ name }) => name)).toEqual(
      expect.arrayContaining(["input", "conv1", "dw", "pw", "conv2", "conv3", "fc", "output"]),
    );
    expect(of("layer")[0]?.name).toBe("input");
    expect(of("kernel").map(({ name }) => name)).toEqual(expect.arrayContaining(["quantize_f32", "igemm_q8", "dequantize_q"]));
    const sum = (suite: string): number => of(suite).reduce((total, { medianMs }) => total + medianMs, 0);
    expect(sum("kernel")).toBeCloseTo(sum("layer"), 9);
    expect(of("model")[0]?.gops).toBeGreaterThan(0);
    expect(of("layer").find(({ name }) => name === "pool")?.gops).toBeNull();
  });

  test("rows say how many threads there were", async () => {
    const { code, stdout, stderr } = await bench("--json", "-", "--threads", "2");
    expect(code, stderr).toBe(0);
    for (const { threads } of (JSON.parse(stdout) as BenchReport).rows) expect(threads).toBe(2);
    expect(stderr).toContain("2 threads");
  });

  test("the trace nests kernels in layers and layers in the run", async () => {
    const file = join(scratch(), "trace.json");
    const { code, stdout } = await bench("--inputs", cnn.inputs, "--trace", file);
    expect(code).toBe(0);
    expect(stdout).toContain("igemm_q8");
    const { traceEvents } = JSON.parse(readFileSync(file, "utf8")) as Trace;
    const slices = traceEvents.filter(({ ph }) => ph === "X").map(({ cat, ts, dur, name }) => ({ cat, name, ts: ts!, end: ts! + dur! }));
    const [run] = slices;
    expect(run?.cat).toBe("run");
    let layer = run!;
    for (const slice of slices.slice(1)) {
      const outer = slice.cat === "layer" ? run! : layer;
      expect(slice.ts, slice.name).toBeGreaterThanOrEqual(outer.ts);
      expect(slice.end, slice.name).toBeLessThanOrEqual(outer.end + 1e-6);
      if (slice.cat === "layer") layer = slice;
    }
    expect(slices.filter(({ cat }) => cat === "kernel").length).toBeGreaterThan(10);
  });

  test("the text fits 80 columns; stdout takes one document; an output that cannot be written is refused first", async () => {
    const { stdout } = await bench();
    expect(stdout).toContain("ms a run (median of 3)");
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const words of [
      ["--json", "-", "--trace", "-"],
      ["--trace", join(scratch(), "no", "trace.json")],
      ["--input", "x=nowhere.npy"],
    ])
      expect((await bench(...words)).code, words.join(" ")).toBe(2);
    const { stdout: alone } = await bench("--trace", "-");
    expect((JSON.parse(alone) as Trace).traceEvents.length).toBeGreaterThan(10);
  });
});

describe("profileSession", () => {
  test.each(["digits_cnn/w8a8_pc", "digits_cnn/w4a8_pc", "conv1d/w8a16_pc", "tiny_transformer/w8a8_pc"])(
    "%s: every MAC is attributed once, and profiling leaves the results as they are",
    async (folder) => {
      const { model: path, encodings } = bundled(folder);
      const model = await loadModel(path, { encodings });
      const session = await Session.create(model);
      const feeds = Object.fromEntries(
        model.inputs.map(({ name, shape }) => {
          const size = (shape as number[]).reduce((a, b) => a * b, 1);
          return [name, new Tensor("float32", Float32Array.from({ length: size }, Math.sin), shape as number[])];
        }),
      );
      const before = session.runSync(feeds);
      const { steps, medianMs, minMs } = await profileSession(session, feeds, 2);
      expect(steps.reduce((sum, { macs }) => sum + macs, 0)).toBe((await inspectModel(model)).macs);
      expect(steps[0]).toMatchObject({ kernel: "quantize_f32", node: model.inputs[0]?.name, op: "" });
      expect(steps.at(-1)).toMatchObject({ kernel: "dequantize_q", node: model.outputs[0]?.name });
      expect(medianMs).toBeGreaterThanOrEqual(minMs);
      for (const step of steps) expect(step.medianUs).toBeGreaterThanOrEqual(step.minUs);
      expect(session.runSync(feeds)).toEqual(before);
    },
  );
});
