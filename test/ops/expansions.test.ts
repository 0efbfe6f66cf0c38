/** Operators that are read as others: against loops written from their definitions, in double. */

import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Attr } from "../../src/graph/graph.ts";
import { loadModel, ModelError, Session, simulate } from "../../src/index.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";

const SEED = 4711;

interface Given {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

const random = createPcg32(SEED);
const randomOf = (...dims: number[]): Given => ({
  dims,
  data: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Math.fround(random.uniform(-2, 2))),
});

interface Built {
  readonly bytes: Uint8Array;
  readonly feeds: Record<string, ReturnType<typeof tensorOf>>;
}

function build(
  op: string,
  domain: string,
  attrs: Readonly<Record<string, Attr>>,
  inputs: readonly (Given | null)[],
  outputs = ["y"],
): Built {
  const graph = new GraphBuilder("one", 23);
  if (domain) graph.domain(domain, 1);
  const feeds: Built["feeds"] = {};
  const names = inputs.map((given, i) => {
    if (!given) return "";
    feeds[`x${i}`] = tensorOf("float32", given.data, given.dims);
    return graph.input(`x${i}`, given.dims);
  });
  graph.node(op, names, { domain, attrs, outputs });
  return { bytes: encodeOnnx(graph.output(...outputs.filter((name) => name !== "")).build()), feeds };
}

async function outputOf(...given: Parameters<typeof build>): Promise<Record<string, number[]>> {
  const { bytes, feeds } = build(...given);
  const out = await simulate(await loadModel(bytes), feeds);
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
}

function near(found: readonly number[] | undefined, expected: readonly number[]): void {
  expect(found?.length).toBe(expected.length);
  expected.forEach((y, i) => {
    expect(Math.abs(found![i]! - y), `element ${i}: ${found![i]}, expected ${y}`).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(y)));
  });
}

interface AttentionCase {
  readonly scale?: number;
  readonly causal?: boolean;
  readonly softcap?: number;
  readonly mask?: (b: number, h: number, i: number, j: number) => number;
}

/** Softmax(scale·Q·Kᵀ + mask)·V per head, [batch, heads, length, size]; heads of keys are shared in runs. */
function attend(q: Given, k: Given, v: Given, { scale, causal, softcap = 0, mask }: AttentionCase): number[] {
  const [batch, heads, rows, size] = q.dims as [number, number, number, number];
  const [, kvHeads, columns] = k.dims as [number, number, number];
  const width = v.dims[3]!;
  const out: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const from = b * kvHeads + Math.floor(h / (heads / kvHeads));
      for (let i = 0; i < rows; i++) {
        const scores = Array.from({ length: columns }, (_, j) => {
          let sum = 0;
          for (let e = 0; e < size; e++) sum += q.data[((b * heads + h) * rows + i) * size + e]! * k.data[(from * columns + j) * size + e]!;
          const score = sum * (scale ?? 1 / Math.sqrt(size)) + (mask?.(b, h, i, j) ?? 0);
          if (causal && j > i + columns - rows) return -Infinity;
          return softcap ? softcap * Math.tanh(score / softcap) : score;
        });
        const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const total = weights.reduce((a, w) => a + w, 0);
        for (let e = 0; e < width; e++)
          out.push(weights.reduce((acc, w, j) => acc + (w / total) * v.data[(from * columns + j) * width + e]!, 0));
      }
    }
  }
  return out;
}

/** [batch, heads, length, size] as [batch, length, heads·size]. */
function flat({ dims, data }: Given): Given {
  const [batch, heads, length, size] = dims as [number, number, number, number];
  const out = new Array<number>(data.length);
  data.forEach((x, at) => {
    const [e, i, h, b] = [
      at % size,
      Math.floor(at / size) % length,
      Math.floor(at / (size * length)) % heads,
      Math.floor(at / (size * length * heads)),
    ];
    out[((b * length + i) * heads + h) * size + e] = x;
  });
  return { dims: [batch, length, heads * size], data: out };
}

describe(`Attention (seed ${SEED})`, () => {
  const [q, k, v] = [randomOf(2, 4, 3, 8), randomOf(2, 4, 5, 8), randomOf(2, 4, 5, 6)];

  it("heads apart, default scale", async () => {
    near((await outputOf("Attention", "", {}, [q, k, v])).y, attend(q, k, v, {}));
  });

  it("a mask, a scale of its own", async () => {
    const mask = randomOf(2, 1, 3, 5);
    const found = await outputOf("Attention", "", { scale: 0.25 }, [q, k, v, mask]);
    near(found.y, attend(q, k, v, { scale: 0.25, mask: (b, _h, i, j) => mask.data[(b * 3 + i) * 5 + j]! }));
  });

  it("causal with a past, which is handed on", async () => {
    const [past, pastV] = [randomOf(2, 4, 2, 8), randomOf(2, 4, 2, 6)];
    const found = await outputOf("Attention", "", { is_causal: 1 }, [q, k, v, null, past, pastV], ["y", "present", "presentV"]);
    const joinedOf = (a: Given, b: Given): Given => {
      const size = a.dims[3]!;
      const rows = (x: Given, head: number): number[] => x.data.slice(head * x.dims[2]! * size, (head + 1) * x.dims[2]! * size) as number[];
      return {
        dims: [2, 4, a.dims[2]! + b.dims[2]!, size],
        data: Array.from({ length: 8 }, (_, head) => [...rows(a, head), ...rows(b, head)]).flat(),
      };
    };
    const [keys, values] = [joinedOf(past, k), joinedOf(pastV, v)];
    near(found.y, attend(q, keys, values, { causal: true }));
    near(found.present, keys.data);
    near(found.presentV, values.data);
  });

  it("heads side by side, keys shared by several of them, softcap", async () => {
    const [shared, sharedV] = [randomOf(2, 2, 5, 8), randomOf(2, 2, 5, 6)];
    const attrs = { q_num_heads: 4, kv_num_heads: 2, softcap: 1.5 };
    const found = await outputOf("Attention", "", attrs, [flat(q), flat(shared), flat(sharedV)]);
    const expected = { dims: [2, 4, 3, 6], data: attend(q, shared, sharedV, { softcap: 1.5 }) };
    near(found.y, flat(expected).data);
  });

  it("runs in a session, equal to the simulation to float32's precision", async () => {
    const { bytes, feeds } = build("Attention", "", {}, [q, k, v]);
    const session = await Session.create(await loadModel(bytes));
    near(Array.from((await session.run(feeds)).y!.data as Float32Array), attend(q, k, v, {}).map(Math.fround));
  });

  it("what the expansion cannot say is refused", async () => {
    const { bytes } = build("Attention", "", {}, [q, k, v], ["y", "", "", "scores"]);
    await expect(loadModel(bytes)).rejects.toThrow("output 3");
    const capped = build("Attention", "", { softcap: 2, is_causal: 1 }, [q, k, v]);
    await expect(loadModel(capped.bytes)).rejects.toBeInstanceOf(ModelError);
  });
});

describe("RotaryEmbedding", () => {
  const x = randomOf(1, 2, 3, 6); // [batch, heads, length, size]
  const [cosines, sines] = [randomOf(1, 3, 2), randomOf(1, 3, 2)];
  const rotate = (interleaved: boolean): number[] => {
    const out = [...x.data];
    for (let line = 0; line < 6; line++) {
      for (let e = 0; e < 2; e++) {
        const [a, b] = interleaved ? [line * 6 + 2 * e, line * 6 + 2 * e + 1] : [line * 6 + e, line * 6 + 2 + e];
        const [c, s] = [cosines.data[(line % 3) * 2 + e]!, sines.data[(line % 3) * 2 + e]!];
        out[a] = x.data[a]! * c - x.data[b]! * s;
        out[b] = x.data[a]! * s + x.data[b]! * c;
      }
    }
    return out;
  };

  it.each([0, 1])("turns pairs of the first part of each head (interleaved %i)", async (interleaved) => {
    const attrs = { interleaved, rotary_embedding_dim: 4 };
    near((await outputOf("RotaryEmbedding", "", attrs, [x, cosines, sines])).y, rotate(interleaved === 1));
    const side = await outputOf("RotaryEmbedding", "", { ...attrs, num_heads: 2 }, [flat(x), cosines, sines]);
    near(side.y, flat({ dims: x.dims, data: rotate(interleaved === 1) }).data);
  });
});

describe("fused operators", () => {
  const CONTRIB = "com.microsoft";
  const x = randomOf(2, 3, 4);
  const rows = (f: (row: number[]) => number[], data: readonly number[] = x.data): number[] =>
    Array.from({ length: data.length / 4 }, (_, i) => f(data.slice(4 * i, 4 * i + 4) as number[])).flat();
  const normalized = (row: number[]): number[] => {
    const mean = row.reduce((a, b) => a + b) / 4;
    const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / 4 + 1e-5);
    return row.map((v) => (v - mean) / deviation);
  };
  const epsilon = 1e-5;

  it("SkipLayerNormalization adds, normalizes, and hands the sum on", async () => {
    const [skip, gamma, beta, bias] = [randomOf(2, 3, 4), randomOf(4), randomOf(4), randomOf(4)];
    const found = await outputOf("SkipLayerNormalization", CONTRIB, { epsilon }, [x, skip, gamma, beta, bias], ["y", "", "", "sum"]);
    const sum = x.data.map((v, i) => v + skip.data[i]! + bias.data[i % 4]!);
    near(found.sum, sum);
    near(
      found.y,
      rows((row) => normalized(row).map((v, i) => v * gamma.data[i]! + beta.data[i]!), sum),
    );
  });

  it("SimplifiedLayerNormalization divides by the root of the mean square", async () => {
    const gamma = randomOf(4);
    const expected = rows((row) => {
      const root = Math.sqrt(row.reduce((a, b) => a + b * b, 0) / 4 + Math.fround(epsilon));
      return row.map((v, i) => (v / root) * gamma.data[i]!);
    });
    for (const domain of ["", CONTRIB]) near((await outputOf("SimplifiedLayerNormalization", domain, { epsilon }, [x, gamma])).y, expected);
  });

  it("QuickGelu, FastGelu, BiasGelu", async () => {
    near(
      (await outputOf("QuickGelu", CONTRIB, {}, [x])).y,
      x.data.map((v) => v / (1 + Math.exp(-Math.fround(1.702) * v))),
    );
    const bias = randomOf(4);
    const sums = x.data.map((v, i) => v + bias.data[i % 4]!);
    const tanh = (v: number): number => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
    near((await outputOf("FastGelu", CONTRIB, {}, [x, bias])).y, sums.map(tanh));
    const erf = (await outputOf("BiasGelu", CONTRIB, {}, [x, bias])).y!;
    sums.forEach((v, i) => {
      expect(Math.abs(erf[i]! - tanh(v)), `element ${i}`).toBeLessThan(1e-3); // the two forms differ by at most 5·10⁻⁴
    });
  });

  it("FusedMatMul transposes and scales", async () => {
    const [a, b] = [randomOf(3, 2), randomOf(4, 3)];
    const found = await outputOf("FusedMatMul", CONTRIB, { transA: 1, transB: 1, alpha: 0.5 }, [a, b]);
    const expected = Array.from({ length: 8 }, (_, at) => {
      const [m, n] = [Math.floor(at / 4), at % 4];
      return 0.5 * [0, 1, 2].reduce((acc, e) => acc + a.data[e * 2 + m]! * b.data[n * 3 + e]!, 0);
    });
    near(found.y, expected);
  });

  it("FusedConv adds and activates", async () => {
    const [image, kernel, bias, added] = [randomOf(1, 1, 3), randomOf(1, 1, 2), randomOf(1), randomOf(1, 1, 2)];
    const conv = [0, 1].map(
      (o) => image.data[o]! * kernel.data[0]! + image.data[o + 1]! * kernel.data[1]! + bias.data[0]! + added.data[o]!,
    );
    const attrs = { activation: "LeakyRelu", activation_params: [0.25] };
    near(
      (await outputOf("FusedConv", CONTRIB, attrs, [image, kernel, bias, added])).y,
      conv.map((v) => (v < 0 ? v / 4 : v)),
    );
    await expect(outputOf("FusedConv", CONTRIB, { activation: "Softmax" }, [image, kernel])).rejects.toThrow("activation");
  });
});
