/** Declared error bounds: a float32 evaluation of perturbed inputs stays within them, and they are small enough to be of use. */
import { describe, expect, it } from "vitest";
import type { Pcg32 } from "../../src/numerics/pcg32.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { OPS } from "../../src/ops/all.ts";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers, OpDef } from "../../src/ops/op.ts";
import { sizeOf } from "../../src/tensor/shape.ts";
import { OP_CASES, type OpCase, type Range } from "./cases.ts";

const SEED = 20240611;
const SAMPLES = { fast: 5, soak: 400 }[process.env.BITEXACT_TIER ?? ""] ?? 12;
const UNIT = 2 ** -24;

interface Perturbed {
  readonly exact: Numbers;
  readonly moved: Numbers; // float32, within `bound` of exact
  readonly bound: Numbers | null;
}

/** Exact inputs are doubles; the moved ones are the float32 nearest to a point at most `size` away. */
function perturb(range: Range, random: Pcg32, size: number): Perturbed {
  const count = sizeOf(range.dims);
  const { dims } = range;
  if (range.exact) {
    const values = Array.from({ length: count }, (_, i) => range.values?.[i] as number);
    return { exact: { dims, data: Float64Array.from(values) }, moved: { dims, data: Float32Array.from(values) }, bound: null };
  }
  const exact = Float64Array.from({ length: count }, () =>
    size === 0 ? Math.fround(random.uniform(range.lo, range.hi)) : random.uniform(range.lo, range.hi),
  );
  const moved = Float32Array.from(exact, (x) => x + random.uniform(-size, size));
  const bound = Float64Array.from(exact, (x, i) => Math.abs((moved[i] as number) - x) * (1 + random.float()));
  return { exact: { dims, data: exact }, moved: { dims, data: moved }, bound: size === 0 ? null : { dims, data: bound } };
}

interface Outcome {
  readonly excess: string | undefined;
  readonly relative: number; // median bound over the largest output magnitude
}

function judge(op: OpDef, one: OpCase, random: Pcg32, size: number): Outcome {
  const attrs = op.parse(new Map(Object.entries(one.attrs ?? {})), one.opset);
  const inputs = one.inputs.map((range) => range && perturb(range, random, size));
  const exactInputs = inputs.map((x) => x?.exact ?? null);
  const exact = op.float(exactInputs, attrs, "f64");
  const single = op.float(
    inputs.map((x) => x?.moved ?? null),
    attrs,
    "f32",
    inputs.map((x) => x && "float32"),
  );
  const bounds =
    op.error?.(
      exactInputs,
      inputs.map((x) => x?.bound ?? null),
      exact,
      attrs,
      UNIT,
    ) ?? [];
  const [y, z, e] = [exact[0], single[0], bounds[0]] as [Numbers, Numbers, Numbers];
  for (let i = 0; i < y.data.length; i++) {
    const distance = Math.abs((y.data[i] as number) - (z.data[i] as number));
    if (!(distance <= (e.data[i] as number)))
      return { excess: `element ${i}: ${z.data[i]} is ${distance} from ${y.data[i]}, bound ${e.data[i]}`, relative: 0 };
  }
  const sorted = Array.from(e.data).sort((a, b) => a - b);
  const largest = Math.max(...Array.from(y.data, Math.abs));
  return { excess: undefined, relative: (sorted[Math.floor(sorted.length / 2)] ?? 0) / largest };
}

function known(one: OpCase): OpDef {
  const op = opOf({ op: one.op, domain: "" });
  if (!op?.error) throw new Error(`${one.op} declares no error bound`);
  return op;
}

const TITLED = OP_CASES.map((one) => [`${one.op}-${one.opset} ${JSON.stringify(one.attrs ?? {})}`, one] as const);

describe(`error bounds (seed ${SEED}, ${SAMPLES} samples)`, () => {
  it.each(TITLED)("%s: float32 on float32 inputs, and on perturbed ones, stays within the bound", (title, one) => {
    const op = known(one);
    for (const [level, size] of [0, 1e-6, 1e-3].entries()) {
      const medians: number[] = [];
      for (let sample = 0; sample < SAMPLES; sample++) {
        const { excess, relative } = judge(op, one, createPcg32(SEED, level * 65536 + sample), size);
        expect(excess, `${title}, perturbed by ${size}, sample ${sample}`).toBeUndefined();
        medians.push(relative);
      }
      medians.sort((a, b) => a - b);
      const typical = medians[medians.length >> 1] as number;
      if (!one.loose) expect(typical, `${title}: median bound at perturbation ${size}`).toBeLessThan(1e-4 + size * 100);
    }
  });

  it("every operator that declares a bound has a case", () => {
    const cased = new Set(OP_CASES.map((one) => one.op));
    const trivial = new Set([
      "Shape",
      "Size",
      "Constant",
      "ConstantOfShape",
      "EyeLike",
      "IsNaN",
      "IsInf",
      "Not",
      "And",
      "Or",
      "Xor",
      "Equal",
      "Less",
      "LessOrEqual",
      "Greater",
      "GreaterOrEqual",
      "Reshape",
      "Flatten",
      "Squeeze",
      "Unsqueeze",
      "Dropout",
      "Split",
      "Slice",
      "Expand",
      "Tile",
      "DepthToSpace",
      "SpaceToDepth",
      "Upsample",
      "QuantizeLinear",
    ]);
    expect(OPS.filter((op) => op.error && !cased.has(op.type) && !trivial.has(op.type)).map((op) => op.type)).toEqual([]);
  });
});
