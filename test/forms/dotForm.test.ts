/** The dot form's edges: what it recognises, how it judges, real outputs, bias encodings, wide accumulators. */

import { describe, expect, it } from "vitest";
import { type Encoding, gridOf, perTensor } from "../../src/encodings/encoding.ts";
import { biasUse } from "../../src/forms/dot/biasUse.ts";
import type { DotData } from "../../src/forms/dot/data.ts";
import { dotForm, lowerDotReal, matchDotNode, referenceDotReal } from "../../src/forms/dot/form.ts";
import { headroomBits } from "../../src/forms/dot/headroom.ts";
import type { Form } from "../../src/forms/form.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { instantiateKernels, moduleGeometry } from "../../src/kernels/instantiate.ts";
import { createMemory } from "../../src/kernels/memory.ts";
import { roundHalfEven } from "../../src/numerics/round.ts";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers } from "../../src/ops/op.ts";
import type { Target } from "../../src/plan/plan.ts";
import { createWeightStore } from "../../src/plan/weightStore.ts";
import { kernelsFor } from "../../src/runtime/kernelSource.ts";
import { activate, createMachine, execute } from "../../src/runtime/machine.ts";
import { readCodes, writeInput } from "../../src/runtime/portCodes.ts";
import { compile } from "../../src/session/compile.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";
import { type CaseOptions, type DotCase, KINDS, makeCase, optionsOf } from "./dotCases.ts";

const SAMPLES = { fast: 2, soak: 300 }[process.env.BITEXACT_TIER ?? ""] ?? 12; // per kind
const engine = await kernelsFor("auto");

const PLAIN: CaseOptions = {
  kind: "conv2d",
  granularity: "channel",
  activation: "none",
  aType: "uint8",
  bType: "int8",
  outType: "uint8",
  asymmetric: false,
  computed: false,
  bias: "own",
  ties: false,
  alpha: 1,
};

function withValues(graph: Graph, changes: Readonly<Record<string, Partial<Value>>>): Graph {
  const values = new Map(graph.values);
  for (const [id, change] of Object.entries(changes)) values.set(id, { ...values.get(id)!, ...change });
  return { ...graph, values };
}

/** A machine after one run of the layer, lowered by `form`. */
function runLayer({ layer, inputs }: DotCase, graph: Graph, form: Form<DotData>, data: DotData, target: Target) {
  const module = moduleGeometry(instantiateKernels(engine.module, createMemory(0)), engine.variant);
  const store = createWeightStore();
  const plan = compile({ graph, layers: [{ layer, form: form as never, data }] }, { target, module, store });
  const machine = createMachine(engine.module);
  activate(machine, plan, store);
  for (const port of plan.inputs)
    writeInput(machine, port, tensorOf(port.encoding!.type, Int32Array.from(inputs.get(port.value)!.data), port.shape, port.encoding));
  execute(machine, plan.steps);
  return { machine, port: plan.outputs[0]! };
}

describe("dot form recognition", () => {
  const match = (options: CaseOptions, changes: Readonly<Record<string, Partial<Value>>> = {}, seed = 4) => {
    const { graph, layer } = makeCase(options, seed);
    return dotForm.match(layer, withValues(graph, changes));
  };

  it("takes a convolution with bias and activation", () => {
    expect(match({ ...PLAIN, bias: "add", activation: "leaky" })?.nodes).toEqual(["dot1", "add", "act"]);
  });
  it("leaves a layer alone whose inner value is encoded, rounded to binary16, or leaves the graph", () => {
    const options: CaseOptions = { ...PLAIN, bias: "add" };
    expect(match(options, { dot: { encoding: perTensor("uint8", 1, 0) } })).toBeNull();
    expect(match(options, { dot: { half: true } })).toBeNull();
    const { graph, layer } = makeCase(options, 4);
    expect(dotForm.match(layer, { ...graph, outputs: ["out", "dot"] })).toBeNull();
  });
  it("leaves an addend alone that varies along another axis than the channels", () => {
    const { graph, layer } = makeCase({ ...PLAIN, kind: "gemm", bias: "add" }, 4);
    const [m, n] = graph.values.get("out")!.shape as number[];
    const matrix = { shape: [m!, n!], data: new Float32Array(m! * n!) };
    expect(m).toBeGreaterThan(1);
    expect(dotForm.match(layer, withValues(graph, { bias: matrix }))).toBeNull();
  });
  it("leaves unencoded operands and outputs alone", () => {
    expect(match(PLAIN, { a: { encoding: undefined as never } })).toBeNull();
    expect(match(PLAIN, { b: { encoding: undefined as never } })).toBeNull();
    expect(match(PLAIN, { out: { encoding: undefined as never } })).toBeNull();
  });
  it("leaves scales alone that vary along the input channels", () => {
    const { graph, layer } = makeCase(PLAIN, 4);
    const b = graph.values.get("b")!;
    const inputs = b.shape![1] as number;
    const encoding: Encoding = { ...b.encoding!, axis: 1, scale: new Float32Array(inputs).fill(0.02), zeroPoint: new Int32Array(inputs) };
    expect(dotForm.match(layer, withValues(graph, { b: { encoding } }))).toBeNull();
  });
  it("leaves a layer alone whose constants no kernel could hold exactly", () => {
    const options: CaseOptions = { ...PLAIN, kind: "gemm", granularity: "block", activation: "leaky" };
    expect(match({ ...options, alpha: 0.5 })).not.toBeNull();
    expect(match({ ...options, alpha: Math.fround(0.3) })).toBeNull();
  });
  it("takes the dot product alone inside a larger cluster", () => {
    const { graph, layer } = makeCase({ ...PLAIN, bias: "add", activation: "relu" }, 4);
    const data = matchDotNode(layer.nodes[0]!, graph);
    expect(data).toMatchObject({ nodes: ["dot1"], out: "dot", outEncoding: null, activation: null });
  });
});

describe(`dot form judgement, ${SAMPLES} seeds per kind`, () => {
  /** The layer in float32 as a simulation computes it, in its own summation order, before quantization. */
  function simulate({ graph, layer, inputs }: DotCase): Float32Array {
    const known = new Map<string, Numbers>();
    const real = (id: string): Numbers | null => {
      if (id === "") return null;
      const value = graph.values.get(id)!;
      const codes = inputs.get(id);
      if (known.has(id)) return known.get(id)!;
      const { scale, zeroPoint } = value.encoding ?? perTensor("int8", 1, 0);
      const data = codes ? Float32Array.from(codes.data, (q) => scale[0]! * (q - zeroPoint[0]!)) : (value.data as Float32Array);
      return { dims: value.shape as number[], data };
    };
    for (const node of layer.nodes) {
      const op = opOf(node)!;
      const [out] = op.float(node.inputs.map(real), op.parse(node.attrs, 17), "f32");
      known.set(node.outputs[0]!, out!);
    }
    return known.get("out")!.data as Float32Array;
  }

  it.each(KINDS)("%s in float32 stays within the bound of the exact value", (kind) => {
    for (let seed = 1; seed <= SAMPLES; seed++) {
      for (const granularity of ["channel", "block", "lpbq"] as const) {
        const layerCase = makeCase(optionsOf(kind, granularity, seed), seed);
        const { graph, layer, inputs } = layerCase;
        const { scale, zeroPoint } = graph.values.get("out")!.encoding!;
        const { exact, bound } = dotForm.judge(dotForm.match(layer, graph)!, layer, graph, inputs, { unit: 2 ** -24 }, "exact")[0]!;
        const simulated = simulate(layerCase);
        simulated.forEach((value, i) => {
          const t = Math.fround(value / scale[0]!) + zeroPoint[0]!;
          expect(Math.abs(t - exact[i]!), `seed ${seed} ${granularity} element ${i}`).toBeLessThanOrEqual(bound[i]!);
        });
      }
    }
  });

  it.each(["fixed-single", "fixed-double"] as const)("%s stays within its declared deviation of the exact value", (target) => {
    for (let seed = 1; seed <= SAMPLES * KINDS.length; seed++) {
      const { graph, layer, inputs } = makeCase(
        { ...optionsOf(KINDS[seed % KINDS.length]!, "channel", seed), aType: "uint8", bType: "int8", asymmetric: false },
        seed,
      );
      const data = dotForm.match(layer, graph)!;
      const codes = dotForm.reference(data, layer, graph, inputs, target)[0]!.data;
      const { exact, deviation } = dotForm.judge(data, layer, graph, inputs, { unit: 2 ** -24 }, target)[0]!;
      const bounds = dotForm.reference(data, layer, graph, inputs, "exact")[0]!.data;
      codes.forEach((code, i) => {
        if (code === bounds[i]) return;
        expect(Math.abs(code - exact[i]!) - 0.5, `seed ${seed} element ${i}`).toBeLessThanOrEqual(deviation![i]! + 1e-9);
      });
    }
  });
});

describe(`dot products as real numbers on ${engine.variant}, ${SAMPLES} seeds per kind`, () => {
  it.each(KINDS)("%s leaves the kernels as the doubles of the reference, bit for bit", (kind) => {
    for (let seed = 1; seed <= SAMPLES; seed++) {
      for (const granularity of ["tensor", "channel", "block", "lpbq"] as const) {
        const layerCase = makeCase({ ...optionsOf(kind, granularity, seed), bias: "own", activation: "none" }, seed);
        const { graph, layer, inputs, size } = layerCase;
        const data = matchDotNode(layer.nodes[0]!, graph)!;
        const form: Form<DotData> = {
          ...dotForm,
          lower: (_data, _layer, ctx) => {
            const from = lowerDotReal(data, ctx);
            const words = { rank: 1, shape: ctx.constant(Int32Array.of(size, 8, 8)), size: 8 };
            ctx.emit("copy_strided", { input: from, output: ctx.output("out", "rowMajor"), ...words }, size, "copy");
          },
        };
        const plain: Value = { id: "out", type: "float32", shape: [size * 2] }; // 8 bytes an element
        const twice: Graph = { ...graph, values: new Map([...graph.values, ["out", plain]]) };
        const { machine, port } = runLayer(layerCase, twice, form, data, "exact");
        const found = Array.from(new Float64Array(machine.memory.buffer, port.address, size));
        expect(found, `seed ${seed} ${granularity}`).toEqual(Array.from(referenceDotReal(data, graph, inputs).data));
      }
    }
  });
});

describe("dot form bias encodings", () => {
  const layerCase = makeCase({ ...PLAIN, kind: "gemm" }, 4);
  const { graph, layer, inputs } = layerCase;
  const channels = graph.values.get("bias")!.shape![0] as number;
  const grid = Float32Array.from(
    { length: channels },
    (_, n) => graph.values.get("a")!.encoding!.scale[0]! * graph.values.get("b")!.encoding!.scale[n]!,
  );
  const wide = (scale: Float32Array): Encoding => ({
    type: "int32",
    scale,
    zeroPoint: new Int32Array(channels),
    axis: 0,
    blockSize: null,
    blockAxis: null,
  });
  const codesWith = (encoding: Encoding | undefined, target: Target) => {
    const changed = encoding ? withValues(graph, { bias: { encoding } }) : graph;
    const data = dotForm.match(layer, changed)!;
    return {
      use: biasUse(data),
      codes: Array.from(dotForm.reference(data, layer, changed, inputs, target)[0]!.data),
      bias: Array.from(data.bias[0]!.data),
    };
  };

  it("applies encodings of up to 16 bit as the simulation does", () => {
    const { use, bias } = codesWith(perTensor("int8", 0.125, 0), "exact");
    expect(use).toBe("applied");
    expect(bias).toEqual(
      Array.from(graph.values.get("bias")!.data as Float32Array, (b) => Math.max(-16, Math.min(127 / 8, 0.125 * roundEven(b / 0.125)))),
    );
  });
  it("uses 32-bit encodings on the accumulator's grid and reports others", () => {
    expect(codesWith(undefined, "exact").use).toBe("float");
    expect(codesWith(wide(grid), "fixed-single").use).toBe("grid");
    expect(codesWith(wide(grid.map((scale) => scale * 1.001)), "fixed-single").use).toBe("ignored");
    for (const target of ["exact", "fixed-single", "fixed-double"] as const) {
      expect(codesWith(wide(grid), target).codes).toEqual(codesWith(undefined, target).codes);
    }
  });

  function roundEven(x: number): number {
    const low = Math.floor(x);
    return x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0) ? low + 1 : low;
  }
});

describe(`dot form accumulators on ${engine.variant}`, () => {
  /** One row times one column of `depth` products of the extreme codes. */
  function extreme(depth: number, aType: "uint8" | "uint16", code: number): DotCase {
    const base = makeCase({ ...PLAIN, kind: "gemm", bias: "none", granularity: "tensor" }, 1);
    const nodes = [{ ...base.layer.nodes[0]!, attrs: new Map(), inputs: ["a", "b"], outputs: ["out"] }];
    const last = aType === "uint8" ? 255 : 65535;
    const values = new Map<string, Value>([
      ["a", { id: "a", type: "float32", shape: [1, depth], encoding: perTensor(aType, 0.5, 0) }],
      [
        "b",
        { id: "b", type: "float32", shape: [depth, 1], encoding: perTensor("uint8", 0.5, 0), data: new Float32Array(depth).fill(code / 2) },
      ],
      [
        "out",
        { id: "out", type: "float32", shape: [1, 1], encoding: perTensor("uint16", Math.fround((last * 255 * depth) / 4 / 60000), 0) },
      ],
    ]);
    const graph: Graph = { ...base.graph, nodes, values, inputs: ["a"], outputs: ["out"] };
    const inputs = new Map([["a", { dims: [1, depth], data: new Float64Array(depth).fill(last) }]]);
    return { ...base, graph, layer: { nodes, inputs: ["a"], outputs: ["out"], island: false }, inputs };
  }

  it.each([
    ["uint8", 33_025],
    ["uint8", 33_026],
    ["uint8", 70_000],
    ["uint16", 300],
    ["uint16", 40_000],
  ] as const)("%s activations at %i products of extremes equal the reference", (aType, depth) => {
    const layerCase = extreme(depth, aType, 255);
    const { graph, layer, inputs } = layerCase;
    const data = dotForm.match(layer, graph)!;
    const [code] = dotForm.reference(data, layer, graph, inputs, "exact")[0]!.data;
    const { machine, port } = runLayer(layerCase, graph, dotForm, data, "exact");
    expect(Array.from(readCodes(machine, port).data as Uint16Array)).toEqual([code]);
    expect(Math.abs(code! - 60000)).toBeLessThanOrEqual(1);
  });
  it("refuses integer-bias targets where 32 bits may overflow", () => {
    const { graph, layer, inputs } = extreme(33_030, "uint8", 255);
    const data = dotForm.match(layer, graph)!;
    expect(() => dotForm.reference(data, layer, graph, inputs, "fixed-single")).toThrow(/may reach 2147775750.*32-bit accumulators/s);
  });
  it("target ort multiplies float32 accumulators by a float32 factor and rounds to even", () => {
    const { graph, layer, inputs } = extreme(33_001, "uint8", 255);
    const data = dotForm.match(layer, graph)!;
    const acc = 33_001 * 255 * 255; // more than 24 bits: rounded on conversion
    const scale = Math.fround(data.aEncoding.scale[0]! * data.bEncoding.scale[0]!);
    const multiplier = Math.fround(scale / data.outEncoding!.scale[0]!);
    const { qmin, qmax } = gridOf(data.outEncoding!.type);
    const rounded = roundHalfEven(Math.fround(Math.fround(acc) * multiplier)) + data.outEncoding!.zeroPoint[0]!;
    const expected = Math.min(qmax, Math.max(qmin, rounded));
    expect(new Set(dotForm.reference(data, layer, graph, inputs, "ort")[0]!.data)).toEqual(new Set([expected]));
  });
  it("knows its headroom in bits", () => {
    const { graph, layer } = extreme(1024, "uint8", 255);
    expect(headroomBits(dotForm.match(layer, graph)!, graph, false)).toBeCloseTo(31 - Math.log2(1024 * 255 * 255), 12);
  });
});
