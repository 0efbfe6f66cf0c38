/** Programs and islands: which layers are theirs, their fixed order of evaluation, their errors; and how every form judges a source. */
import { describe, expect, test } from "vitest";
import { gridOf } from "../../src/encodings/encoding.ts";
import { ModelError } from "../../src/errors.ts";
import { evaluate } from "../../src/forms/evaluate.ts";
import type { Codes, Judgement } from "../../src/forms/form.ts";
import { shapeOf, valueNamed } from "../../src/graph/graph.ts";
import { quantizeFloat32 } from "../../src/numerics/affine.ts";
import { exp } from "../../src/numerics/elementary.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { PlanBuilder } from "../../src/plan/builder.ts";
import { createWeightStore } from "../../src/plan/weightStore.ts";
import { codeOfFraction, fraction, plus, realOf, times, whole } from "./fractions.ts";
import { CASES } from "./layerCases.ts";
import { codesOf, type Formed, formed, graphOf, int8, int16, type NodeSpec, referenceOf, uint8 } from "./smallGraph.ts";

const A = int8(0.25, 3);
const B = uint8(0.125, 120);
const node = (op: string, inputs: string[], outputs: string[], attrs: NodeSpec["attrs"] = {}): NodeSpec => ({ op, inputs, outputs, attrs });

function draw(shape: readonly number[], encoding: typeof A, stream: number): { dims: readonly number[]; data: number[] } {
  const random = createPcg32(41, stream);
  const { qmin, qmax } = gridOf(encoding.type);
  return { dims: shape, data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.integer(qmin, qmax)) };
}

describe("program form", () => {
  test("softmax of a product of two activations: exact accumulators, then doubles in order", () => {
    const y = uint8(1 / 256);
    const graph = graphOf(
      {
        q: { shape: [3, 8], encoding: A },
        k: { shape: [8, 5], encoding: B },
        c: { shape: [], data: Float32Array.of(0.3) },
        y: { encoding: y },
      },
      [node("MatMul", ["q", "k"], ["s"]), node("Mul", ["s", "c"], ["t"]), node("Softmax", ["t"], ["y"])],
    );
    const set = formed(graph);
    expect(set.form.name).toBe("program");
    const q = draw([3, 8], A, 1);
    const k = draw([8, 5], B, 2);
    const expected: number[] = [];
    for (let m = 0; m < 3; m++) {
      const t = [0, 1, 2, 3, 4].map((n) => {
        let acc = 0;
        for (let i = 0; i < 8; i++) acc += (q.data[m * 8 + i]! - 3) * (k.data[i * 5 + n]! - 120);
        return acc * (0.25 * 0.125) * Math.fround(0.3);
      });
      const e = t.map((x) => exp(x - Math.max(...t)));
      const s = e.reduce((a, b) => a + b, 0);
      for (const x of e) expected.push(Math.min(255, codeOfFraction(fraction(x / s), y)));
    }
    expect(referenceOf(set, codesOf({ q, k }))[0]).toEqual(expected);
  });

  test("a per-channel constant in an Add is exact in double: s·(q − zp)", () => {
    const c = { ...int8(0.1), scale: Float32Array.of(0.1, 0.07), zeroPoint: Int32Array.of(0, 5), axis: 0 };
    const data = Float32Array.of(1.23, -0.77);
    const graph = graphOf({ x: { shape: [2, 3], encoding: A }, c: { shape: [2, 1], data, encoding: c }, y: { encoding: A } }, [
      node("Add", ["x", "c"], ["y"]),
    ]);
    const set = formed(graph);
    expect(set.form.name).toBe("program");
    const x = draw([2, 3], A, 3);
    const codes = [12, -6]; // 1.23/0.1 = 12.3; −0.77/0.07 = −11, + 5
    const expected = x.data.map((q, i) => {
      const row = Math.floor(i / 3);
      return codeOfFraction(plus(realOf(q, A), times(fraction(c.scale[row]!), whole(codes[row]! - c.zeroPoint[row]!))), A);
    });
    expect(referenceOf(set, codesOf({ x }))[0]).toEqual(expected);
  });

  test("an output that is read again inside the layer is read as its code says", () => {
    const u = int8(2, 0);
    const graph = graphOf(
      { a: { shape: [4], encoding: A }, b: { shape: [4], encoding: A }, u: { encoding: u }, y: { encoding: int8(8, 0) } },
      [node("Add", ["a", "b"], ["s"]), node("Neg", ["s"], ["u"]), node("Mul", ["s", "u"], ["y"])],
    );
    const set = formed(graph);
    const a = [10, 20, -30, 5];
    const b = [4, -7, 0, 3];
    const [u1, y1] = referenceOf(set, codesOf({ a: { dims: [4], data: a }, b: { dims: [4], data: b } }));
    const s = a.map((q, i) => plus(realOf(q, A), realOf(b[i]!, A)));
    const codes = s.map((x) => codeOfFraction(times(x, whole(-1)), u));
    expect(u1).toEqual(codes);
    expect(y1).toEqual(s.map((x, i) => codeOfFraction(times(x, realOf(codes[i]!, u)), int8(8, 0))));
  });
});

describe("island form", () => {
  test("every operation is rounded to float32: x·(1/(1 + exp(−x)))", () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => (i - 20) * 0.37);
    const set = formed(graphOf({ x: { shape: [40] }, y: {} }, [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["y"])]));
    expect(set.form.name).toBe("island");
    const f = Math.fround;
    const found = set.form.reference(set.data, set.layer, set.graph, new Map([["x", { dims: [40], data: x }]]), "exact")[0]!;
    expect([...found.data]).toEqual(Array.from(x, (v) => f(v * f(1 / f(1 + f(exp(-v)))))));
  });

  test("codes enter as float32, encoded weights as fround(s·(q − zp)), and leave quantized from float32", () => {
    const w = int8(0.017, 0);
    const weights = Float32Array.of(0.17, -1.9, 0.6);
    const set = formed(
      graphOf(
        { x: { shape: [1, 3], encoding: A }, z: { shape: [1] }, w: { shape: [3, 1], data: weights, encoding: w }, y: { encoding: B } },
        [node("MatMul", ["x", "w"], ["m"]), node("Add", ["m", "z"], ["y"])],
      ),
    );
    expect(set.form.name).toBe("island");
    const f = Math.fround;
    const codes = [10, -112, 35];
    const x = [77, -5, 40];
    let acc = 0;
    for (let i = 0; i < 3; i++) acc = f(acc + f(f(0.25 * (x[i]! - 3)) * f(f(0.017) * codes[i]!)));
    const inputs: Codes = new Map([
      ["x", { dims: [1, 3], data: Float64Array.from(x) }],
      ["z", { dims: [1], data: Float32Array.of(0.3) }],
    ]);
    const found = set.form.reference(set.data, set.layer, set.graph, inputs, "exact")[0]!;
    expect([...found.data]).toEqual([codeOfFraction(fraction(f(acc + f(0.3))), B)]);
  });

  test("every node without kernel is listed at once", () => {
    const equation = "ab,ab,ab,ab,ab->ab";
    const graph = graphOf({ x: { shape: [2, 6] }, y: {}, z: {} }, [
      node("Einsum", ["x", "x", "x", "x", "x"], ["g"], { equation }),
      node("Relu", ["g"], ["r"]),
      node("Einsum", ["r", "x", "x", "x", "r"], ["y"], { equation }),
    ]);
    const set = formed(graph);
    const builder = new PlanBuilder(
      graph,
      "exact",
      { variant: "simd", signed: true, mr: 4, nr: 8, kr: 2, weightMin: -128 },
      createWeightStore(),
    );
    for (const id of set.layer.inputs) builder.addInput(id, null);
    const caught = (() => {
      try {
        set.form.lower(set.data, set.layer, builder);
        return null;
      } catch (error) {
        return error as ModelError;
      }
    })();
    expect(caught).toBeInstanceOf(ModelError);
    expect(caught!.issues.map(({ code, node: name }) => [code, name])).toEqual([
      ["plan/no-kernel", "einsum_0"],
      ["plan/no-kernel", "einsum_2"],
    ]);
    expect(caught!.message).toContain("float32[2, 6], float32[2, 6]");
  });
});

describe("what kernels cannot walk", () => {
  for (const [name, encoding] of [
    ["extreme", A],
    ["island", undefined],
  ] as const) {
    test(`a reduction over four interleaved axes of eight is refused by name: ${name}`, () => {
      const value = encoding ? { encoding } : {};
      const axes = { shape: [4], data: BigInt64Array.of(0n, 2n, 4n, 6n), type: "int64" as const };
      const graph = graphOf({ x: { shape: [2, 2, 2, 2, 2, 2, 2, 2], ...value }, axes, y: value }, [
        node("ReduceMax", ["x", "axes"], ["y"]),
      ]);
      const set = formed(graph);
      expect(set.form.name).toBe(name);
      const builder = new PlanBuilder(
        graph,
        "exact",
        { variant: "simd", signed: true, mr: 4, nr: 8, kr: 2, weightMin: -128 },
        createWeightStore(),
      );
      builder.addInput("x", null);
      expect(() => set.form.lower(set.data, set.layer, builder)).toThrow(
        expect.objectContaining({ name: "ModelError", code: "plan/no-kernel" }),
      );
    });
  }
});

/** Codes as a float32 simulation has them. */
function simulate(set: Formed, inputs: Codes): number[][] {
  const computed = evaluate(set.layer, set.graph, inputs, { precision: "f32" });
  return set.layer.outputs.map((id) => {
    const { encoding } = valueNamed(set.graph, id);
    const { qmin, qmax } = gridOf(encoding!.type);
    return Array.from(computed.get(id)!.real.data, (x) =>
      quantizeFloat32(x, encoding!.scale[0]!, encoding!.zeroPoint[0]!, qmin, qmax, "halfEven"),
    );
  });
}

/** Distance from t to the reals that round to q; nothing is too far at the ends of the grid. */
function distance(q: number, t: number, qmin: number, qmax: number): number {
  if (q === qmin && t < q) return 0;
  if (q === qmax && t > q) return 0;
  return Math.max(0, Math.abs(t - q) - 0.5);
}

describe("judging", () => {
  test("a float32 simulation of every case is explained, and a planted +1 is not", () => {
    let planted = 0;
    let caught = 0;
    CASES.forEach(({ name, form, graph }, stream) => {
      if (form === "island") return;
      const set = formed(graph);
      const inputs: Codes = new Map(
        set.layer.inputs.map((id) => {
          const { dims, data } = draw(shapeOf(graph, id), valueNamed(graph, id).encoding!, 100 + stream);
          return [id, { dims, data: Float64Array.from(data) }];
        }),
      );
      const source = simulate(set, inputs);
      const judged = set.form.judge(set.data, set.layer, graph, inputs, { unit: 2 ** -24 }, "exact");
      set.layer.outputs.forEach((id, o) => {
        const { qmin, qmax } = gridOf(valueNamed(graph, id).encoding!.type);
        const { exact, bound } = judged[o] as Judgement;
        source[o]!.forEach((q, i) => {
          if (distance(q, exact[i]!, qmin, qmax) > bound[i]!)
            throw new Error(`${name}: code ${q} of element ${i} lies outside ${exact[i]} ± ${bound[i]}`);
          if (q >= qmax - 1 || q <= qmin + 1 || !(bound[i]! < 0.5)) return;
          planted++;
          if (distance(q + 1, exact[i]!, qmin, qmax) > bound[i]! && distance(q - 1, exact[i]!, qmin, qmax) > bound[i]!) caught++;
        });
      });
    });
    expect(planted).toBeGreaterThan(3000);
    expect(caught / planted).toBeGreaterThan(0.8); // the rest are ties of the tie-heavy scales: both neighbours are right there
  });

  test("ties aside, every planted +1 is caught at 8 and at 16 bit", () => {
    for (const [grid, out] of [
      [A, int8(0.371, 1)],
      [int16(0.00037, 11), int16(0.00071, 3)],
    ] as const) {
      const graph = graphOf({ a: { shape: [1000], encoding: grid }, b: { shape: [1000], encoding: grid }, y: { encoding: out } }, [
        node("Add", ["a", "b"], ["y"]),
      ]);
      const set = formed(graph);
      const inputs = codesOf({ a: draw([1000], grid, 7), b: draw([1000], grid, 8) });
      const codes = referenceOf(set, inputs)[0]!;
      const [judged] = set.form.judge(set.data, set.layer, graph, inputs, { unit: 2 ** -24 }, "exact");
      const { qmin, qmax } = gridOf(out.type);
      const inside = codes.map((q, i) => [q, i] as const).filter(([q]) => q > qmin && q < qmax - 1);
      expect(inside.length).toBeGreaterThan(200);
      const missed = inside.filter(([q, i]) => distance(q + 1, judged!.exact[i]!, qmin, qmax) <= judged!.bound[i]!);
      expect(missed).toEqual([]);
    }
  });
});
