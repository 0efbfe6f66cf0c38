/** Inputs that are no float32 (float64, float16, integers) on their way to encoded values: the three executors give the same codes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Encoding, perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder, type NodeOptions } from "../../src/graph/build.ts";
import { runReference, Session, simulate, Tensor } from "../../src/index.ts";
import { type Model, modelOf } from "../../src/model.ts";
import { floatToHalf } from "../../src/numerics/half.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { Target } from "../../src/plan/plan.ts";
import { arrayType, type ElementType } from "../../src/tensor/dtype.ts";
import { samples } from "../numerics/tier.ts";

const RUNS = samples(30, 100, 3000);
const SEED = Number(process.env.BITEXACT_SEED ?? 40_500);
const DIMS = [2, 3, 4];
const SCALES = [0.03125, 0.1, 1 / 3, 2 ** -9];
const GRIDS = ["int8", "uint8", "int16", "uint16"] as const;

/** Ways from one value to the next. */
const STEPS = [
  "Unsqueeze",
  "Transpose",
  "Reshape",
  "Slice",
  "Concat",
  "Identity",
  "Pad",
  "Gather",
  "Split",
  "Expand",
  "Tile",
  "Flatten",
  "ReduceMax",
  "TopK",
  "GatherElements",
  "Resize",
  "Relu",
  "MaxPool",
  "Neg",
  "Add",
  "float64",
  "float32",
] as const;
type Step = (typeof STEPS)[number];

interface Way {
  readonly step: Step;
  readonly encoding: Encoding | null;
  readonly half: boolean;
}

const way = fc.record({
  step: fc.constantFrom(...STEPS),
  encoding: fc.oneof(
    fc.constant(null),
    fc
      .record({ type: fc.constantFrom(...GRIDS), scale: fc.constantFrom(...SCALES) })
      .map(({ type, scale }) => perTensor(type, scale, type[0] === "u" ? 100 : -3)),
  ),
  half: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

const attrs = (b: GraphBuilder, step: Step, id: string, i: number): [inputs: string[], options: NodeOptions] => {
  const ints = (name: string, ...data: number[]): string => b.constant(`${name}_${i}`, data, [data.length], "int64");
  if (step === "Unsqueeze") return [[id, ints("axes", 0)], {}];
  if (step === "Reshape") return [[id, ints("shape", -1, 2)], {}];
  if (step === "Slice") return [[id, ints("starts", 1), ints("ends", 100), ints("axes", -1)], {}];
  if (step === "Concat") return [[id, id], { attrs: { axis: -1 } }];
  if (step === "Pad") return [[id, ints("pads", 1, 0), "", ints("axes", -1)], {}];
  if (step === "Gather") return [[id, ints("indices", -1, 0)], { attrs: { axis: -1 } }];
  if (step === "Split") return [[id], { outputs: [`v${i}`, `w${i}`], attrs: { axis: -1, num_outputs: 2 } }];
  if (step === "Expand") return [[id, ints("shape", 2, 1, 1, 1)], {}];
  if (step === "Tile") return [[id, ints("repeats", 2, 1, 1)], {}];
  if (step === "Flatten") return [[id], { attrs: { axis: 1 } }];
  if (step === "ReduceMax") return [[id, ints("axes", -1)], { attrs: { keepdims: 1 } }];
  if (step === "TopK") return [[id, ints("k", 2)], { outputs: [`v${i}`, `w${i}`] }];
  if (step === "GatherElements") return [[id, b.constant(`at_${i}`, [1, 0, -1], [1, 1, 3], "int64")], { attrs: { axis: -1 } }];
  if (step === "Resize") return [[id, "", "", b.constant(`sizes_${i}`, [2, 5, 3], [3], "int64")], { attrs: { mode: "nearest" } }];
  if (step === "Add") return [[id, id], {}];
  if (step === "MaxPool") return [[id], { attrs: { kernel_shape: [2], pads: [1, 0] } }];
  if (step === "float64") return [[id], { attrs: { to: 11 } }];
  return [[id], step === "float32" ? { attrs: { to: 1 } } : {}];
};

/** The ways one after the other from an input of `type`; null where they are no model. */
function modelFrom(type: ElementType, ways: readonly Way[], atInput: Way): Model | null {
  const b = new GraphBuilder();
  let id = b.input("x", DIMS, type);
  const mark = (to: string, { encoding, half }: Way): void => {
    if (encoding) b.encoding(to, encoding);
    else if (half) b.half(to);
  };
  if (type.startsWith("float")) mark(id, atInput);
  else id = b.node("Cast", [id], { outputs: ["cast"], attrs: { to: atInput.half ? 11 : 1 } });
  for (const [i, each] of ways.entries()) {
    const [inputs, options] = attrs(b, each.step, id, i);
    const op = each.step.startsWith("float") ? "Cast" : each.step;
    id = b.node(op, inputs, { outputs: [`v${i}`], ...options });
    mark(id, each);
  }
  try {
    return modelOf(b.output(id).build());
  } catch {
    return null;
  }
}

/** Elements near ties of the grids, and beyond float32. */
function feed(type: ElementType, seed: number): Tensor {
  const random = createPcg32(seed, 3);
  const near = (): number => {
    const code = random.integer(-40, 40) + 0.5;
    return code * SCALES[random.integer(0, 3)]! * (1 + random.integer(-2, 2) * 2 ** -random.integer(20, 52));
  };
  const one = (): number => {
    if (random.integer(0, 15) === 0) return [Number.NaN, Infinity, -Infinity, -0, 1e300, -1e-300][random.integer(0, 5)]!;
    return near();
  };
  const data = Array.from({ length: 24 }, () => (type.startsWith("float") ? one() : random.integer(-(2 ** 31), 2 ** 31 - 1)));
  const Data = arrayType(type);
  if (type === "float16") return new Tensor(type, Uint16Array.from(data, floatToHalf), DIMS);
  if (type === "int64") return new Tensor(type, BigInt64Array.from(data, BigInt), DIMS);
  return new Tensor(type, new (Data as Float64ArrayConstructor)(data), DIMS);
}

type Results = Record<string, Tensor>;

/** The first element in which two results differ. */
function difference(found: Results, expected: Results, by: string): string | null {
  for (const [id, { data }] of Object.entries(expected)) {
    const other = found[id];
    if (!other) continue;
    for (let i = 0; i < data.length; i++)
      if (!Object.is(other.data[i], data[i])) return `'${id}'[${i}] is ${other.data[i]}, ${by} ${data[i]}`;
  }
  return null;
}

async function compare(model: Model, x: Tensor, target: Target): Promise<{ runtime: Results; reference: Results; problem: string | null }> {
  const session = await Session.create(model, { target });
  const options = { capture: "all", quantized: true } as const;
  const runtime = session.runSync({ x }, options);
  session.dispose();
  const reference = await runReference(model, { x }, { ...options, target });
  return { runtime, reference, problem: difference(runtime, reference, "reference") };
}

test(`codes of inputs of every type, ${RUNS} graphs from seed ${SEED}: runtime = reference, and the simulation where nothing is computed`, async () => {
  const types = fc.constantFrom<ElementType>("float64", "float16", "int64", "int32", "float32");
  const property = fc.asyncProperty(
    types,
    fc.array(way, { minLength: 1, maxLength: 5 }),
    way,
    fc.nat(),
    async (type, ways, first, seed) => {
      const model = modelFrom(type, ways, first);
      fc.pre(model !== null);
      const x = feed(type, seed);
      for (const target of ["exact", "ort"] as const) {
        const { problem } = await compare(model, x, target);
        if (problem) throw new Error(`target ${target}: ${problem}`);
      }
      if (type === "float64" && !ways.some(({ step }) => step === "Add" || step === "float32")) {
        const sim = await simulate(model, { x }, { capture: "all", quantized: true });
        const { reference } = await compare(model, x, "exact");
        expect(difference(reference, sim, "simulation")).toBeNull();
      }
    },
  );
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
}, 3_600_000);

test("a float64 input that reaches an encoded value through movement is quantized as the double it is, fed or moved", async () => {
  // 0.109375 · (1 ± 2^-40) lies beside the tie 3.5 · 0.03125; as float32 it lies on it, and half to even gives 4.
  const x = new Tensor("float64", Float64Array.of(0.109375 * (1 - 2 ** -40), 0.109375, 0.109375 * (1 + 2 ** -40)), [3]);
  const b = new GraphBuilder();
  const moved = b.node("Unsqueeze", [b.input("x", [3], "float64"), b.constant("axes", [0], [1], "int64")], { outputs: ["moved"] });
  const back = b.node("Squeeze", [b.node("Relu", [moved], { outputs: ["y"] }), "axes"], { outputs: ["back"] });
  const grid = perTensor("int8", 0.03125, 0);
  const graph = b.encoding("moved", grid).encoding("y", grid).output(back).build();
  const input = graph.values.get("x")!;
  const encoded = { ...graph, values: new Map(graph.values).set("x", { ...input, encoding: grid }) };
  for (const each of [graph, encoded]) {
    const exact = await compare(modelOf(each), x, "exact");
    expect(exact.problem).toBeNull();
    expect([...exact.runtime.moved!.data]).toEqual([3, 4, 4]);
    const simulated = await simulate(modelOf(each), { x }, { capture: ["moved"], quantized: true });
    expect([...simulated.moved!.data]).toEqual([3, 4, 4]);
    const single = await compare(modelOf(each), x, "ort");
    expect(single.problem).toBeNull();
    expect([...single.runtime.moved!.data]).toEqual([4, 4, 4]);
  }
});
