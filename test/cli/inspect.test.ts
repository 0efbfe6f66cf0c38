/** `bitexact inspect`: the record, and what people read. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { InspectReport } from "../../src/inspectReport.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { bitexact, bundled, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");

async function inspect(...words: string[]): Promise<InspectReport> {
  const { code, stdout, stderr } = await bitexact("inspect", ...words, "--json", "-");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as InspectReport;
}

describe("inspect", () => {
  test("digits_cnn: ports, operators, MACs counted by hand, all activations encoded, no island", async () => {
    const report = await inspect(cnn.model, "-e", cnn.encodings);
    expect(report.schema).toBe("bitexact-inspect/1");
    expect(report.inputs).toMatchObject([
      { name: "input", type: "float32", shape: [1, 1, 8, 8], encoding: { type: "uint8", zeroPoint: 64 } },
    ]);
    expect(report.outputs.map(({ name }) => name)).toEqual(["output"]);
    expect(report.operators.find(({ op }) => op === "Conv")?.count).toBe(5);
    // output elements · input channels of the group · taps: conv1, dw, pw, conv2, conv3, fc
    const macs = 16 * 64 * 9 + 16 * 64 * 9 + 16 * 64 * 16 + 24 * 16 * 16 * 9 + 32 * 4 * 12 + 10 * 32;
    expect(report.macs).toBe(macs);
    expect(report.dots.reduce((sum, dot) => sum + dot.macs, 0)).toBe(macs);
    expect(report.islands).toEqual([]);
    expect(report.unmatched).toEqual({ encodings: [], values: [] });
    expect(report.coverage.activations.encoded).toBeGreaterThan(0.5 * report.coverage.activations.total);
    expect(report.coverage.parameters).toEqual({ encoded: 6, total: 6 });
  });

  test("headroom leaves room in every accumulator, and the epilogues' channels add up", async () => {
    const report = await inspect(cnn.model, "-e", cnn.encodings);
    expect(report.dots).toHaveLength(6);
    for (const dot of report.dots) {
      expect(dot.headroomBits, dot.node).toBeGreaterThan(0);
      expect(dot.headroomBits, dot.node).toBeLessThan(31);
      expect(
        Object.values(dot.epilogues).reduce((a, b) => a + b, 0),
        dot.node,
      ).toBe(dot.channels);
    }
  });

  test("int4 weights take half the bytes of int8 weights in memory, and both less than float32", async () => {
    const int8 = await inspect(cnn.model, "-e", cnn.encodings);
    const other = bundled("digits_cnn/w4a8_pc");
    const int4 = await inspect(other.model, "-e", other.encodings);
    expect(int8.weightBytes.before).toBe(int4.weightBytes.before);
    expect(int8.weightBytes.after).toBeLessThan(int8.weightBytes.before);
    expect(int4.weightBytes.after).toBeLessThan(int8.weightBytes.after);
  });

  test("names that match nothing are listed in both directions", async () => {
    const json = JSON.parse(readFileSync(cnn.encodings, "utf8"));
    json.activation_encodings.find(({ name }: { name: string }) => name === "output").name = "stranger";
    const file = join(scratch(), "renamed.encodings");
    writeFileSync(file, JSON.stringify(json));
    const report = await inspect(cnn.model, "-e", file);
    expect(report.unmatched.encodings).toEqual(["stranger"]);
    expect(report.unmatched.values).toContain("output");
  });

  test("biases that share their fate take one line, not one each", async () => {
    const json = JSON.parse(readFileSync(cnn.encodings, "utf8"));
    const bias = { bw: 32, dtype: "INT", enc_type: "PER_TENSOR", is_sym: true, offset: [-2147483648], scale: [2 ** -20] };
    for (const layer of ["conv1", "dw", "pw", "conv2", "conv3"]) json.param_encodings.push({ ...bias, name: `${layer}.bias` });
    const file = join(scratch(), "biases.encodings");
    writeFileSync(file, JSON.stringify(json));
    expect((await inspect(cnn.model, "-e", file)).biases).toHaveLength(5);
    const { stdout } = await bitexact("inspect", cnn.model, "-e", file);
    expect(stdout.match(/32 bit, ignored/g)).toHaveLength(1);
    expect(stdout).toMatch(/biases conv1\.bias, dw\.bias, pw\.bias and 2 more: 32 bit/);
  });

  test("the text for people has its sections and fits 80 columns", async () => {
    const { code, stdout } = await bitexact("inspect", cnn.model, "-e", cnn.encodings);
    expect(code).toBe(0);
    for (const section of ["Inputs", "Outputs", "Operators", "Encodings", "Integer clusters", "Float islands", "Cost", "headroom"])
      expect(stdout).toContain(section);
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test("operators say which forms run their nodes; the counts add up", async () => {
    const report = await inspect(cnn.model, "-e", cnn.encodings);
    for (const { op, count, forms } of report.operators) {
      const sum = Object.values(forms).reduce((a, b) => a + b, 0);
      expect(sum, op).toBe(count);
    }
    expect(report.operators.find(({ op }) => op === "Conv")?.forms).toEqual({ dot: 5 });
    expect(report.refused).toEqual([]);
  });

  test("nodes without kernels are named, and the exit code says that no session runs the model", async () => {
    const graph = new GraphBuilder("windows", 17);
    const x = graph.input("x", [1, 16, 1]);
    graph.output(graph.node("DFT", [graph.node("Relu", [x], { id: "relu" })], { id: "spectrum" }));
    const file = join(scratch(), "spectrum.onnx");
    writeFileSync(file, encodeOnnx(graph.build()));
    const { code, stdout } = await bitexact("inspect", file, "--json", "-");
    expect(code).toBe(2);
    const report = JSON.parse(stdout) as InspectReport;
    expect(report.operators).toEqual([
      { op: "DFT", count: 1, forms: { refused: 1 } },
      { op: "Relu", count: 1, forms: { island: 1 } },
    ]);
    expect(report.refused.map(({ node }) => node)).toEqual(["spectrum"]);
    expect((await bitexact("inspect", file)).stdout).toContain("no session runs this model");
  });
});

describe("models without static encodings", () => {
  /** MatMulInteger of codes made in the run and constant weights, behind a symbolic batch. */
  function dynamic(): string {
    const graph = new GraphBuilder("dynamic", 17);
    const x = graph.input("x", ["batch", 4]);
    const codes = graph.node("DynamicQuantizeLinear", [x], { outputs: ["codes", "scale", "zero"] });
    const w = graph.constant(
      "w",
      Int8Array.from({ length: 12 }, (_, i) => i - 6),
      [4, 3],
      "int8",
    );
    graph.output(graph.node("MatMulInteger", [codes, w, "zero"], { outputs: ["y"] }));
    const file = join(scratch(), "dynamic.onnx");
    writeFileSync(file, encodeOnnx(graph.build()));
    return file;
  }

  test("weights of integer products count, as float32 and packed", async () => {
    const report = await inspect(dynamic());
    expect(report.macs).toBe(12);
    expect(report.weightBytes.before).toBe(48);
    expect(report.weightBytes.after).toBeGreaterThan(0);
  });

  test("verify says that such a model has no encodings", async () => {
    const { code, stderr } = await bitexact("verify", dynamic(), "--random", "1");
    expect(code).toBe(2);
    expect(stderr).toContain("quantized dynamically");
  });
});

test("every dot product has channels, in a target with one epilogue too", async () => {
  const report = await inspect(cnn.model, "-e", cnn.encodings, "--target", "ort");
  for (const { node, channels } of report.dots) expect(channels, node).toBeGreaterThan(0);
});
