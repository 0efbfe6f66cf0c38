/** Operators that few test suites hold: values worked out by hand or from their definition. */
import { describe, expect, it } from "vitest";
import type { Attr } from "../../src/graph/graph.ts";
import { opOf } from "../../src/ops/index.ts";
import type { OpDef, TypeInfo } from "../../src/ops/op.ts";
import { type ElementType, isFloatType } from "../../src/tensor/dtype.ts";

interface Given {
  readonly dims: readonly number[];
  readonly data: readonly number[];
  readonly type?: ElementType;
}

type Attributes = Readonly<Record<string, Attr>>;

const floats = (dims: readonly number[], ...data: number[]): Given => ({ dims, data });
const whole = (dims: readonly number[], ...data: number[]): Given => ({ dims, data, type: "int64" });

/** Outputs in float32 as [dims, elements]; what is inferred has the shapes of what is computed. */
function run(type: string, opset: number, attrs: Attributes, ...given: (Given | null)[]): { dims: readonly number[]; data: number[] }[] {
  const op = opOf({ op: type, domain: "" }) as OpDef;
  const parsed = op.parse(new Map(Object.entries(attrs)), opset);
  const inputs = given.map((one) => {
    if (!one) return null;
    const single = isFloatType(one.type ?? "float32");
    return { dims: one.dims, data: single ? Float32Array.from(one.data) : Float64Array.from(one.data) };
  });
  const infos = given.map((one, i): TypeInfo | null => one && { type: one.type ?? "float32", dims: one.dims, constant: inputs[i]!.data });
  const inferred = op.infer(infos, parsed);
  const types = infos.map((info) => info?.type ?? null);
  const outputs = op.float(inputs, parsed, "f32", types);
  expect(outputs.map(({ dims }) => [...dims])).toEqual(inferred.slice(0, outputs.length).map(({ dims }) => [...dims]));
  return outputs.map(({ dims, data }) => ({ dims, data: Array.from(data) }));
}

const first = (...args: Parameters<typeof run>): number[] => run(...args)[0]!.data;
const near = (found: readonly number[], expected: readonly number[], digits = 6): void => {
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => {
    expect(x, `element ${i}`).toBeCloseTo(expected[i] as number, digits);
  });
};

describe("bits", () => {
  const bytes = (...data: number[]): Given => ({ dims: [data.length], data, type: "uint8" });

  it("shifts drop what leaves the type", () => {
    expect(first("BitShift", 11, { direction: "LEFT" }, bytes(255, 3, 1), bytes(1, 7, 8))).toEqual([254, 128, 0]);
    expect(first("BitShift", 11, { direction: "RIGHT" }, bytes(255, 3, 1), bytes(1, 1, 9))).toEqual([127, 1, 0]);
    expect(() => run("BitShift", 11, {}, bytes(1), bytes(1))).toThrow("direction");
  });

  it("negative numbers are two's complement", () => {
    const signed = (...data: number[]): Given => ({ dims: [data.length], data, type: "int8" });
    expect(first("BitwiseAnd", 18, {}, signed(-1, -128), signed(15, 127))).toEqual([15, 0]);
    expect(first("BitwiseOr", 18, {}, signed(-128, 1), signed(1, 2))).toEqual([-127, 3]);
    expect(first("BitwiseXor", 18, {}, bytes(255, 15), bytes(15, 255))).toEqual([240, 240]);
    expect(first("BitwiseNot", 18, {}, bytes(0, 200))).toEqual([255, 55]);
    expect(first("BitwiseNot", 18, {}, signed(0, -5))).toEqual([-1, 4]);
  });
});

describe("picks", () => {
  it("Compress flattens without an axis", () => {
    const condition = (...data: number[]): Given => ({ dims: [data.length], data, type: "bool" });
    expect(run("Compress", 9, {}, floats([2, 3], 1, 2, 3, 4, 5, 6), condition(0, 1, 0, 1))).toEqual([{ dims: [2], data: [2, 4] }]);
    expect(first("Compress", 9, { axis: -1 }, floats([2, 3], 1, 2, 3, 4, 5, 6), condition(1, 0, 1))).toEqual([1, 3, 4, 6]);
    expect(() => run("Compress", 9, {}, floats([1], 1), condition(1, 1))).toThrow("at most 1");
  });

  it("Unique groups slices, sorted or in order of appearance", () => {
    const x = floats([6], 2, 1, 1, 3, 4, 3);
    expect(run("Unique", 11, {}, x).map(({ data }) => data)).toEqual([
      [1, 2, 3, 4],
      [1, 0, 3, 4],
      [1, 0, 0, 2, 3, 2],
      [2, 1, 2, 1],
    ]);
    expect(run("Unique", 11, { sorted: 0 }, x).map(({ data }) => data)).toEqual([
      [2, 1, 3, 4],
      [0, 1, 3, 4],
      [0, 1, 1, 2, 3, 2],
      [1, 2, 2, 1],
    ]);
    const rows = run("Unique", 11, { axis: 0 }, floats([3, 2], 1, 0, 1, 0, 0, 5));
    expect(rows.map(({ data }) => data)).toEqual([
      [0, 5, 1, 0],
      [2, 0],
      [1, 1, 0],
      [1, 2],
    ]);
    const columns = run("Unique", 11, { axis: 1 }, floats([2, 3], 7, 1, 7, 8, 2, 8));
    expect(columns.map(({ data }) => data)).toEqual([
      [1, 7, 2, 8],
      [1, 0],
      [1, 0, 1],
      [1, 2],
    ]);
  });

  it("ReverseSequence turns the first steps of each entry", () => {
    const x = floats([2, 4], 0, 1, 2, 3, 4, 5, 6, 7);
    expect(first("ReverseSequence", 10, { batch_axis: 0, time_axis: 1 }, x, whole([2], 4, 2))).toEqual([3, 2, 1, 0, 5, 4, 6, 7]);
    expect(() => run("ReverseSequence", 10, {}, x, whole([4], 1, 1, 1, 5))).toThrow("sequence length is 5");
  });

  it("CenterCropPad cuts and pads around the middle, the odd element at the end", () => {
    const x = floats([1, 5], 1, 2, 3, 4, 5);
    expect(first("CenterCropPad", 18, { axes: [1] }, x, whole([1], 2))).toEqual([2, 3]);
    expect(first("CenterCropPad", 18, { axes: [-1] }, x, whole([1], 8))).toEqual([0, 1, 2, 3, 4, 5, 0, 0]);
  });

  it("Hardmax takes the first of equals; before opset 13 all axes from its own are one line", () => {
    expect(first("Hardmax", 13, {}, floats([2, 3], 1, 3, 3, 2, 2, 0))).toEqual([0, 1, 0, 1, 0, 0]);
    expect(first("Hardmax", 11, {}, floats([1, 2, 2], 1, 2, 2, 0))).toEqual([0, 1, 0, 0]);
  });
});

describe("windows and regions", () => {
  it("MaxUnpool lays elements back; a larger output keeps their places", () => {
    const x = floats([1, 1, 2, 2], 1, 2, 3, 4);
    const at = whole([1, 1, 2, 2], 5, 7, 13, 15);
    const attrs = { kernel_shape: [2, 2], strides: [2, 2] };
    expect(first("MaxUnpool", 11, attrs, x, at)).toEqual([0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4]);
    const wide = first("MaxUnpool", 11, attrs, x, at, whole([4], 1, 1, 5, 5));
    expect(wide.flatMap((value, i) => (value ? [[i, value]] : []))).toEqual([
      [6, 1],
      [8, 2],
      [16, 3],
      [18, 4],
    ]);
    expect(() => run("MaxUnpool", 11, attrs, x, whole([1, 1, 2, 2], 5, 7, 13, 16))).toThrow("index 16");
  });

  it("Col2Im adds up what overlaps", () => {
    const columns = floats([1, 4, 4], ...Array.from({ length: 16 }, (_, i) => i + 1));
    const image = first("Col2Im", 18, {}, columns, whole([2], 3, 3), whole([2], 2, 2));
    expect(image).toEqual([1, 2 + 5, 6, 3 + 9, 4 + 7 + 10 + 13, 8 + 14, 11, 12 + 15, 16]);
    const padded = first("Col2Im", 18, { pads: [1, 1], dilations: [2] }, floats([1, 2, 3], 1, 2, 3, 4, 5, 6), whole([1], 3), whole([1], 2));
    expect(padded).toEqual([2, 3 + 4, 5]);
  });

  it("Det eliminates with pivots", () => {
    near(first("Det", 11, {}, floats([2, 2, 2], 0, 1, 2, 3, 4, 2, 1, 3)), [-2, 10]);
    expect(first("Det", 11, {}, floats([3, 3], 1, 2, 3, 2, 4, 6, 1, 1, 1))).toEqual([0]);
    near(first("Det", 11, {}, floats([3, 3], 2, -1, 0, -1, 2, -1, 0, -1, 2)), [4], 5);
  });

  it("RoiAlign averages the samples of a bin", () => {
    const plane = floats([1, 1, 4, 4], ...Array.from({ length: 16 }, (_, i) => i));
    const roi = floats([1, 4], 1, 1, 3, 3);
    const attrs = { output_height: 1, output_width: 1, sampling_ratio: 1 };
    near(first("RoiAlign", 16, attrs, plane, roi, whole([1], 0)), [1.5 + 4 * 1.5]); // the middle: (1 + 3)/2 − ½
    near(first("RoiAlign", 10, attrs, plane, roi, whole([1], 0)), [2 + 4 * 2]);
    expect(() => run("RoiAlign", 16, attrs, plane, roi, whole([1], 1))).toThrow("image 1 of 1");
  });

  it("MaxRoiPool takes the maximum of each bin", () => {
    const plane = floats([1, 1, 4, 4], ...Array.from({ length: 16 }, (_, i) => i));
    expect(first("MaxRoiPool", 1, { pooled_shape: [2, 2] }, plane, floats([1, 5], 0, 0, 0, 3, 3))).toEqual([5, 7, 13, 15]);
  });
});

describe("splits", () => {
  it("into another number of parts than there are outputs are refused", () => {
    const op = opOf({ op: "Split", domain: "", outputs: ["a", "b"] }) as OpDef;
    const inputs: TypeInfo[] = [
      { type: "float32", dims: [3] },
      { type: "int64", dims: [3], constant: Float64Array.of(1, 1, 1) },
    ];
    expect(() => op.infer(inputs, op.parse(new Map(), 13))).toThrow("one for each output");
  });
});

describe("losses", () => {
  const scores = floats([2, 3], 1, 2, 3, 4, 6, 5);
  const shares = [1, 2, 3, 4, 6, 5].map(
    (x, i) => x - Math.log([1, 2, 3, 4, 6, 5].slice(i < 3 ? 0 : 3, i < 3 ? 3 : 6).reduce((a, y) => a + Math.exp(y), 0)),
  );

  it("NegativeLogLikelihoodLoss weighs classes and skips the ignored one", () => {
    const weight = floats([3], 0.5, 2, 4);
    expect(first("NegativeLogLikelihoodLoss", 13, { reduction: "none" }, scores, whole([2], 2, 0), weight)).toEqual([-12, -2]);
    near(first("NegativeLogLikelihoodLoss", 13, {}, scores, whole([2], 2, 0), weight), [-14 / 4.5]);
    expect(first("NegativeLogLikelihoodLoss", 13, { reduction: "sum", ignore_index: 0 }, scores, whole([2], 2, 0))).toEqual([-3]);
    expect(() => run("NegativeLogLikelihoodLoss", 13, {}, scores, whole([2], 3, 0))).toThrow("class 3");
  });

  it("SoftmaxCrossEntropyLoss takes logarithms of the shares first, and hands them on", () => {
    const [loss, logarithms] = run("SoftmaxCrossEntropyLoss", 13, { reduction: "sum" }, scores, whole([2], 1, 2));
    near(logarithms!.data, shares);
    near(loss!.data, [-(shares[1]! + shares[5]!)]);
  });
});

describe("what would take forever", () => {
  it("is refused", () => {
    const samples = { sampling_ratio: 2 ** 30 };
    expect(() => run("RoiAlign", 16, samples, floats([1, 1, 1, 1], 1), floats([1, 4], 0, 0, 1, 1), whole([1], 0))).toThrow("at most 4096");
    expect(() => run("RoiAlign", 16, {}, floats([1, 1, 1, 1], 1), floats([1, 4], 0, 0, 1e30, 1), whole([1], 0))).toThrow("at most 4096");
    expect(() => run("DFT", 17, {}, floats([1, 1, 1], 1), whole([], 1e6))).toThrow("products");
    const [matrix] = run("MelWeightMatrix", 17, {}, whole([], 2), whole([], 4), whole([], 0), floats([], 1), floats([], 2));
    expect(matrix!.data.every(Number.isFinite)).toBe(true);
  });
});

describe("grids", () => {
  it("AffineGrid of the identity names every element's own position", () => {
    const identity = floats([1, 2, 3], 1, 0, 0, 0, 1, 0);
    near(first("AffineGrid", 20, { align_corners: 1 }, identity, whole([4], 1, 1, 2, 3)), [-1, -1, 0, -1, 1, -1, -1, 1, 0, 1, 1, 1]);
    const edges = [-2 / 3, -0.5, 0, -0.5, 2 / 3, -0.5, -2 / 3, 0.5, 0, 0.5, 2 / 3, 0.5];
    near(first("AffineGrid", 20, {}, identity, whole([4], 1, 1, 2, 3)), edges);
  });

  it("GridSample at those positions gives the image back, in every mode", () => {
    const image = floats([1, 1, 3, 4], ...Array.from({ length: 12 }, (_, i) => Math.sin(i) * 5));
    for (const align_corners of [0, 1]) {
      const theta = floats([1, 2, 3], 1, 0, 0, 0, 1, 0);
      const [grid] = run("AffineGrid", 20, { align_corners }, theta, whole([4], 1, 1, 3, 4));
      for (const mode of ["nearest", "linear", "cubic"])
        near(
          first("GridSample", 20, { mode, align_corners }, image, { dims: grid!.dims, data: grid!.data }),
          image.data.map(Math.fround),
          4,
        );
    }
  });

  it("three spatial axes: x is the last", () => {
    const cube = floats([1, 1, 2, 2, 2], 0, 1, 2, 3, 4, 5, 6, 7);
    const at = floats([1, 1, 1, 1, 3], 1, -1, 0);
    expect(first("GridSample", 20, { align_corners: 1 }, cube, at)).toEqual([(1 + 5) / 2]);
  });
});

describe("signals", () => {
  it("windows are their cosine sums", () => {
    near(first("HannWindow", 17, {}, whole([], 4)), [0, 0.5, 1, 0.5]);
    near(first("HannWindow", 17, { periodic: 0 }, whole([], 5)), [0, 0.5, 1, 0.5, 0]);
    near(first("HammingWindow", 17, { periodic: 0 }, whole([], 3)), [4 / 46, 1, 4 / 46]);
    near(first("BlackmanWindow", 17, { periodic: 0 }, whole([], 3)), [0, 1, 0]);
  });

  it("a transform and its inverse give the signal back", () => {
    const signal = Array.from({ length: 24 }, (_, i) => Math.cos(i * i));
    const [there] = run("DFT", 17, { axis: 1 }, floats([2, 12, 1], ...signal));
    const [back] = run("DFT", 20, { inverse: 1 }, { dims: there!.dims, data: there!.data }, null, whole([], 1));
    near(
      back!.data.filter((_, i) => i % 2 === 0),
      signal,
      5,
    );
    near(
      back!.data.filter((_, i) => i % 2 === 1),
      signal.map(() => 0),
      5,
    );
  });

  it("STFT is the transform of each windowed frame, one-sided unless asked", () => {
    const signal = Array.from({ length: 10 }, (_, i) => i % 3);
    const window = [0.5, 1, 1, 0.5];
    const [frames] = run("STFT", 17, {}, floats([1, 10, 1], ...signal), whole([], 3), floats([4], ...window));
    expect(frames!.dims).toEqual([1, 3, 3, 2]);
    const second = signal.slice(3, 7).map((x, i) => x * window[i]!);
    const [alone] = run("DFT", 17, { onesided: 1 }, floats([1, 4, 1], ...second));
    near(frames!.data.slice(6, 12), alone!.data, 6);
  });

  it("MelWeightMatrix: triangles of peak 1", () => {
    const [matrix] = run("MelWeightMatrix", 17, {}, whole([], 8), whole([], 16), whole([], 8192), floats([], 0), floats([], 4096));
    expect(matrix!.dims).toEqual([9, 8]);
    const peaks = Array.from({ length: 8 }, (_, band) => Math.max(...Array.from({ length: 9 }, (_, bin) => matrix!.data[bin * 8 + band]!)));
    expect(peaks).toEqual(new Array(8).fill(1));
  });
});
