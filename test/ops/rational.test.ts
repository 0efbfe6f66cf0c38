/** Rational scalar forms agree with the float evaluation in double, and are exact where double is. */
import { describe, expect, it } from "vitest";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { fromNumber, toNumber } from "../../src/numerics/rational.ts";
import { OPS } from "../../src/ops/all.ts";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers } from "../../src/ops/op.ts";
import { OP_CASES } from "./cases.ts";

const SEED = 7411;
const POINTS = { fast: 200, soak: 100_000 }[process.env.BITEXACT_TIER ?? ""] ?? 2000;
const CASES = OP_CASES.filter((one) => opOf({ op: one.op, domain: "" })?.traits.rational);

describe(`rational forms (seed ${SEED}, ${POINTS} points)`, () => {
  it.each(CASES.map((one) => [`${one.op}-${one.opset}`, one] as const))(
    "%s equals its float form in double but for rounding",
    (title, one) => {
      const op = opOf({ op: one.op, domain: "" });
      const attrs = op?.parse(new Map(Object.entries(one.attrs ?? {})), one.opset);
      const random = createPcg32(SEED, title.length);
      for (let point = 0; point < POINTS; point++) {
        const xs = one.inputs.map((range) =>
          range?.values ? (range.values[0] as number) : Math.fround(random.uniform(range?.lo ?? 0, range?.hi ?? 0)),
        );
        const numbers = xs.map((x): Numbers => ({ dims: [], data: Float64Array.of(x) }));
        const float = op?.float(
          numbers,
          attrs,
          "f64",
          xs.map(() => "float32"),
        )[0]?.data[0] as number;
        const exact = toNumber(op?.traits.rational?.(xs.map(fromNumber), attrs) as ReturnType<typeof fromNumber>);
        const size = Math.max(...xs.map(Math.abs), Math.abs(exact), 1);
        expect(Math.abs(float - exact), `${title} at ${xs.join(", ")}: ${float}, exactly ${exact}`).toBeLessThanOrEqual(
          size * size * 2 ** -50,
        );
      }
    },
  );

  it("sees a difference far below float32: (x + 2^-60) − x is 2^-60", () => {
    const add = opOf({ op: "Add", domain: "" });
    const sub = opOf({ op: "Sub", domain: "" });
    const sum = add?.traits.rational?.([fromNumber(1), fromNumber(2 ** -60)], {});
    expect(toNumber(sub?.traits.rational?.([sum, fromNumber(1)], {}) as ReturnType<typeof fromNumber>)).toBe(2 ** -60);
  });

  it("covers every operator with a rational form", () => {
    const cased = new Set(CASES.map((one) => one.op));
    expect(OPS.filter((op) => op.traits.rational && !cased.has(op.type)).map((op) => op.type)).toEqual([]);
  });
});
