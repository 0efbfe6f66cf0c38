/** Malformed and contradictory input: one typed error each, exit code 2, no stack trace. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { NpyArray } from "../../src/io/npy.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { bitexact, bundled, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const input = (): NpyArray => readNpz(new Uint8Array(readFileSync(cnn.inputs)), cnn.inputs).get("input") as NpyArray;

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(scratch(), name);
  writeFileSync(path, bytes);
  return path;
}

const archive = (arrays: Record<string, NpyArray>): string => file("in.npz", writeNpz(new Map(Object.entries(arrays))));

function encodings(
  change: (json: { activation_encodings: { name: string; scale: number[]; offset: number[] }[]; version: string }) => void,
): string {
  const json = JSON.parse(readFileSync(cnn.encodings, "utf8"));
  change(json);
  return file("model.encodings", JSON.stringify(json));
}

async function refused(words: string[], code: RegExp, mention: string | RegExp): Promise<void> {
  const outcome = await bitexact(...words);
  expect(outcome.stderr).toMatch(code);
  expect(outcome.stderr).toMatch(mention);
  expect(outcome.stderr).not.toMatch(/\n\s+at /);
  expect(outcome.code).toBe(2);
}

const run = (...words: string[]): string[] => ["run", cnn.model, "-e", cnn.encodings, ...words];

describe("bad input", () => {
  test("an empty file name, from an unset shell variable, is not an absent option", async () => {
    for (const words of [
      ["-e", ""],
      ["--random", "1", "--out", ""],
      ["--random", "1", "--json", ""],
      ["--random", "1", "--capture", ""],
    ])
      await refused(["run", cnn.model, ...words], /error/, /unset/);
  });
  test("nothing is written when one of two output files cannot be", async () => {
    const out = join(scratch(), "out.npz");
    await refused(run("--random", "1", "--out", out, "--json", join(scratch(), "no", "folder.json")), /cli\/file/, /does not exist/);
    expect(existsSync(out)).toBe(false);
  });
  test("more samples than the files hold are refused, not clipped", () =>
    refused(run("--inputs", cnn.inputs, "--samples", "50"), /cli\/sample-count/, /hold 3/));
  test("a shape too large to draw is refused before anything is allocated", () =>
    refused(run("--random", "1", "--shape", "input=1,1,100000,100000"), /cli\/shape/, /10000000000/));
  test("a model file that does not exist is named", () => refused(["run", "no-such.onnx", "--random", "1"], /error/, /no-such\.onnx/));
  test("a file that is no ONNX model is refused", () =>
    refused(["inspect", file("text.onnx", "hello, this is not a model")], /onnx\//, /text\.onnx|model/));
  test("a truncated model is refused", () =>
    refused(["inspect", file("cut.onnx", readFileSync(cnn.model).subarray(0, 9000))], /onnx\//, /./));
  test("an empty model file is refused", () => refused(["inspect", file("empty.onnx", "")], /onnx\//, /./));
  test("encodings of an unknown version are refused", () =>
    refused(
      [
        "inspect",
        cnn.model,
        "-e",
        encodings((json) => {
          json.version = "9.0.0";
        }),
      ],
      /encodings\//,
      /9\.0\.0/,
    ));
  test.each([
    ["zero", 0],
    ["negative", -0.1],
  ])("a scale that is %s is refused", (_, scale) =>
    refused(
      [
        "inspect",
        cnn.model,
        "-e",
        encodings((json) => {
          json.activation_encodings[0]!.scale = [scale];
        }),
      ],
      /encodings\//,
      /input/,
    ),
  );
  test("a zero point outside its type is refused", () =>
    refused(
      [
        "inspect",
        cnn.model,
        "-e",
        encodings((json) => {
          json.activation_encodings[0]!.offset = [-300];
        }),
      ],
      /encodings\//,
      /input/,
    ));
  test("encodings that are no JSON are refused", () =>
    refused(["inspect", cnn.model, "-e", file("broken.encodings", "{")], /encodings\//, /./));
  test("strict lists unmatched names", () =>
    refused(
      [
        "inspect",
        cnn.model,
        "--strict",
        "-e",
        encodings((json) => {
          json.activation_encodings.find(({ name }) => name === "output")!.name = "stranger";
        }),
      ],
      /error/,
      /stranger/,
    ));

  test("inputs that are missing altogether are asked for by name", () => refused(run(), /cli\/no-inputs/, /'input'/));
  test("an archive without the input lists what it has", () =>
    refused(run("--inputs", archive({ other: input() })), /cli\/missing-input/, /other/));
  test("a file that is no archive is refused", () => refused(run("--inputs", cnn.model), /npz\/malformed/, /model\.onnx/));
  test("float64 inputs are refused with the remedy", () => {
    const { dims, data } = input();
    return refused(
      run("--inputs", archive({ input: { type: "float64", dims, data: Float64Array.from(data as Float32Array) } })),
      /cli\/input/,
      /astype/,
    );
  });
  test("inputs of another shape are refused", () => {
    const { type, data } = input();
    return refused(run("--inputs", archive({ input: { type, dims: [3, 64], data } })), /cli\/input/, /\[3, 64\]/);
  });
  test("two sources of inputs at once are refused", () => refused(run("--inputs", cnn.inputs, "--random", "1"), /cli\/inputs/, /one of/));
  test("verify without samples says how to give some", () =>
    refused(["verify", cnn.model, "-e", cnn.encodings], /cli\/no-samples/, /--random/));
  test("an --against that is neither a source nor an .npz is refused", () =>
    refused(["verify", cnn.model, "-e", cnn.encodings, "--random", "1", "--against", "sim-f16"], /cli\/against/, /sim-f16/));
  test("a --shape for a name that is no input is refused", () =>
    refused(run("--random", "1", "--shape", "x=1,2"), /cli\/shape/, /'input'/));
});
