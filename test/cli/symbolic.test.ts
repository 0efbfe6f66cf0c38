/** Symbolic dimensions and index inputs on the command line: one batch, shapes given, indices in range. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunReport } from "../../src/cli/run.ts";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { NpyArray } from "../../src/io/npy.ts";
import { writeNpz } from "../../src/io/npz.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { bitexact, scratch } from "./commandLine.ts";

/** y = Relu(table[index] + x): float32 x [batch, 3], int64 index [batch], a table of 5 rows. */
function lookupModel(): string {
  const graph = new GraphBuilder("lookup");
  const x = graph.input("x", ["batch", 3]);
  const index = graph.input("index", ["batch"], "int64");
  const table = graph.constant(
    "table",
    Float32Array.from({ length: 15 }, (_, i) => i),
    [5, 3],
  );
  const rows = graph.node("Gather", [table, index], { outputs: ["rows"], attrs: { axis: 0 } });
  const sum = graph.node("Add", [rows, x], { outputs: ["sum"] });
  graph.output(graph.node("Relu", [sum], { outputs: ["y"] }), rows);
  const file = join(scratch(), "lookup.onnx");
  writeFileSync(file, encodeOnnx(graph.build()));
  return file;
}

const json = (text: string): RunReport => JSON.parse(text) as RunReport;

describe("symbolic dimensions", () => {
  test("a symbolic leading dimension runs the whole array as one batch", async () => {
    const file = join(scratch(), "in.npz");
    const x = { type: "float32", dims: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => -i) } as const;
    const index = { type: "int64", dims: [4], data: BigInt64Array.of(0n, 4n, 2n, 1n) } as const;
    writeFileSync(
      file,
      writeNpz(
        new Map<string, NpyArray>([
          ["x", x],
          ["index", index],
        ]),
      ),
    );
    const { code, stdout, stderr } = await bitexact("run", lookupModel(), "--inputs", file, "--json", "-");
    expect(code, stderr).toBe(0);
    const report = json(stdout);
    expect(report.samples).toBe(1);
    expect(report.tensors.find(({ name }) => name === "y")).toMatchObject({ name: "y", dims: [4, 3], min: 0, max: 9 });
  });

  test("random indices stay inside what they index, random batches take --shape, and 1 without it", async () => {
    const model = lookupModel();
    const given = await bitexact("run", model, "--random", "3", "--shape", "x=64,3", "--shape", "index=64", "--json", "-");
    expect(given.code, given.stderr).toBe(0);
    const rows = json(given.stdout).tensors.find(({ name }) => name === "rows");
    expect(rows?.dims).toEqual([64, 3]);
    // 64 draws of 5 rows reach the first and the last of them.
    expect([rows?.min, rows?.max]).toEqual([0, 14]);
    const open = await bitexact("run", model, "--random", "3", "--json", "-");
    expect(open.code, open.stderr).toBe(0);
    expect(json(open.stdout).tensors.find(({ name }) => name === "y")?.dims).toEqual([1, 3]);
  });

  test("an encoded input is drawn from its whole range and not beyond", async () => {
    const graph = new GraphBuilder("range");
    const x = graph.input("x", [1, 4000]);
    graph.encoding(x, perTensor("uint8", 0.5, 100));
    const y = graph.node("Relu", [x], { outputs: ["y"] });
    graph.encoding(y, perTensor("uint8", 0.5, 0));
    graph.output(y);
    const encodings = {
      version: "2.0.0",
      encodings: [
        { name: "x", y_scale: 0.5, y_zero_point: 100, output_dtype: "uint8" },
        { name: "y", y_scale: 0.5, y_zero_point: 0, output_dtype: "uint8" },
      ],
    };
    const folder = scratch();
    writeFileSync(join(folder, "m.onnx"), encodeOnnx(graph.build()));
    writeFileSync(join(folder, "m.encodings"), JSON.stringify(encodings));
    const { code, stdout, stderr } = await bitexact(
      "run",
      join(folder, "m.onnx"),
      "-e",
      join(folder, "m.encodings"),
      "--random",
      "1",
      "--quantized",
      "--capture",
      "x",
      "--json",
      "-",
    );
    expect(code, stderr).toBe(0);
    const drawn = json(stdout).tensors.find(({ name }) => name === "x");
    expect([drawn?.type, drawn?.min, drawn?.max, drawn?.scale, drawn?.zeroPoint]).toEqual(["uint8", 0, 255, 0.5, 100]);
  });
});
