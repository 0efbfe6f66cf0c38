/** Damaged model files: every one decodes or throws a ModelError, and nothing outside is touched. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { GraphBuilder, tensorOf } from "../../src/graph/build.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";

const TIER = process.env.BITEXACT_TIER;
const MUTATIONS = TIER === "fast" ? 200 : TIER === "soak" ? 20_000 : 1_000;
const SEED = 20_240_611;

/** Every kind of record: inputs, several tensor types, attributes of all kinds, a subgraph, symbolic dimensions. */
function sample(): Uint8Array {
  const branch = new GraphBuilder("branch");
  branch.constant("one", [1], [1]);
  branch.node("Identity", ["one"], { outputs: ["r"] });
  const builder = new GraphBuilder("sample", 17).domain("com.example", 1);
  builder.input("x", ["N", 3, 8, 8]);
  builder.input("flag", [], "bool");
  builder.constant(
    "w",
    Array.from({ length: 54 }, (_, i) => i / 8 - 3),
    [2, 3, 3, 3],
  );
  builder.constant("shape", [-1, 2], [2], "int64");
  builder.constant("nibbles", [1, -2, 3], [3], "int4");
  builder.node("Conv", ["x", "w", ""], { outputs: ["c"], attrs: { pads: [1, 1, 1, 1], kernel_shape: [3, 3], auto_pad: "NOTSET" } });
  builder.node("LeakyRelu", ["c"], { outputs: ["l"], attrs: { alpha: 0.1 } });
  builder.node("Custom", ["l", "nibbles"], {
    domain: "com.example",
    outputs: ["u"],
    attrs: { words: ["a", "b"], t: tensorOf([1, 2], [2]), reals: [0.5, 1] },
  });
  builder.node("If", ["flag"], { outputs: ["y"], attrs: { then_branch: branch.output("r").build() } });
  builder.node("Reshape", ["u", "shape"], { outputs: ["z"] });
  return encodeOnnx(builder.output("y", "z").build());
}

/** True when it decodes. Any error but ModelError fails the test. */
function survives(bytes: Uint8Array): boolean {
  try {
    decodeOnnx(bytes);
    return true;
  } catch (error) {
    if (error instanceof ModelError && error.issues.every((issue) => /^(onnx|graph)\/[a-z-]+$/.test(issue.code))) return false;
    throw error;
  }
}

function mutate(bytes: Uint8Array, random: ReturnType<typeof createPcg32>): Uint8Array {
  const copy = bytes.slice();
  const count = random.integer(1, 8);
  for (let i = 0; i < count; i++) {
    const at = random.integer(0, copy.length - 1);
    const kind = random.integer(0, 3);
    if (kind === 0) copy[at] = random.integer(0, 255);
    else if (kind === 1) copy[at] = (copy[at] as number) ^ (1 << random.integer(0, 7));
    else if (kind === 2) copy[at] = [0, 0x7f, 0x80, 0xff][random.integer(0, 3)] as number;
    else copy.copyWithin(at, random.integer(0, copy.length - 1), random.integer(0, copy.length));
  }
  return random.integer(0, 3) === 0 ? copy.subarray(0, random.integer(0, copy.length)) : copy;
}

describe("damaged models", () => {
  const model = sample();

  test("the sample itself decodes to every kind of record", () => {
    const graph = decodeOnnx(model);
    expect(graph.nodes.map((node) => node.op)).toEqual(["Conv", "LeakyRelu", "Custom", "If", "Reshape"]);
  });

  test("cut after every byte: a typed error, but where only opset imports are lost", () => {
    const codes = new Map<string, number>();
    for (let length = 0; length < model.length; length++) {
      let code = "decoded";
      try {
        decodeOnnx(model.subarray(0, length));
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        code = error.code;
      }
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(codes.get("onnx/truncated")).toBeGreaterThan(model.length * 0.9);
    expect([...codes.keys()].sort()).toEqual(["decoded", "onnx/not-onnx", "onnx/opset", "onnx/truncated"]);
    expect(codes.get("decoded")).toBe(1); // cut between the two opset imports
  });

  const recorded = join(process.env.BITEXACT_DATA ?? "../shared/data", "aimet/digits_cnn/w4a8_block/model.onnx");
  const targets: [string, Uint8Array][] = [
    ["the sample", model],
    ...(existsSync(recorded) ? [["a recorded model", readFileSync(recorded)] as [string, Uint8Array]] : []),
  ];

  test.each(targets)(`%s mutated ${MUTATIONS} times (seed ${SEED}): no error but ModelError, Object.prototype untouched`, (_, bytes) => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    const random = createPcg32(SEED, bytes.length);
    let refused = 0;
    for (let i = 0; i < MUTATIONS; i++) if (!survives(mutate(bytes, random))) refused++;
    expect(refused).toBeGreaterThan(MUTATIONS / 4);
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
    expect(Object.keys({})).toEqual([]);
  });

  test("names like __proto__ and constructor are plain names", () => {
    const builder = new GraphBuilder("g");
    builder.input("__proto__", [1]);
    builder.node("Relu", ["__proto__"], { id: "constructor", outputs: ["prototype"], attrs: {} });
    const graph = decodeOnnx(encodeOnnx(builder.output("prototype").build()));
    expect(graph.inputs).toEqual(["__proto__"]);
    expect(graph.values.get("__proto__")?.shape).toEqual([1]);
    expect(({} as Record<string, unknown>).shape).toBeUndefined();
  });
});
