/** The dot form's reference against a BigInt oracle written from the operators' definitions. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { dotForm } from "../../src/forms/dot/form.ts";
import type { Target } from "../../src/plan/plan.ts";
import { type CaseOptions, type Granularity, KINDS, makeCase, optionsOf } from "./dotCases.ts";
import { oracleExact, oracleFixed } from "./dotOracle.ts";

const SAMPLES = { fast: 3, soak: 600 }[process.env.BITEXACT_TIER ?? ""] ?? 24; // per kind and granularity
const GRANULARITIES: readonly Granularity[] = ["tensor", "channel", "block", "lpbq"];

/** Expected codes, or the code of the typed error the contract asks for. */
function checkTarget(options: CaseOptions, seed: number, target: Target): { elements: number; ties: number } | string {
  const { graph, layer, inputs, oracle, size } = makeCase(options, seed);
  const data = dotForm.match(layer, graph);
  expect(data, `seed ${seed} is recognised`).not.toBeNull();
  let codes: ArrayLike<number>;
  try {
    codes = dotForm.reference(data!, layer, graph, inputs, target)[0]!.data;
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  const rounding = target === "fixed-single" ? "single" : "double";
  const expected = Array.from({ length: size }, (_, i) => (target === "exact" ? oracleExact(oracle, i) : oracleFixed(oracle, i, rounding)));
  expect(Array.from(codes), `seed ${seed} ${target} ${JSON.stringify(options)}`).toEqual(expected);
  const { exact } = dotForm.judge(data!, layer, graph, inputs, { unit: 2 ** -24 }, target)[0]!;
  return { elements: size, ties: exact.filter((t) => Math.abs(t - Math.floor(t) - 0.5) < 1e-9).length };
}

describe(`dot reference, ${SAMPLES} seeds per case`, () => {
  let ties = 0;
  for (const kind of KINDS) {
    for (const granularity of GRANULARITIES) {
      it(`${kind} with weights per ${granularity} equals the BigInt oracle in target exact`, () => {
        let elements = 0;
        for (let seed = 1; seed <= SAMPLES; seed++) {
          const outcome = checkTarget(optionsOf(kind, granularity, seed), seed, "exact");
          if (typeof outcome === "string") throw new Error(`seed ${seed}: ${outcome}`);
          elements += outcome.elements;
          ties += outcome.ties;
        }
        expect(elements).toBeGreaterThan(SAMPLES);
      });
    }
    for (const granularity of ["tensor", "channel", "lpbq"] as const) {
      it(`${kind} with weights per ${granularity} equals the integer oracle in both fixed targets`, () => {
        let computed = 0;
        for (let seed = 1; seed <= SAMPLES; seed++) {
          const options = optionsOf(kind, granularity, seed);
          for (const target of ["fixed-single", "fixed-double"] as const) {
            const outcome = checkTarget(options, seed, target);
            if (typeof outcome === "string") expect(["plan/accumulator-range", "plan/multiplier-range"]).toContain(outcome);
            else computed++;
          }
        }
        expect(computed).toBeGreaterThan(SAMPLES);
      });
    }
  }

  it("meets exact ties in the tie-heavy third of its cases", () => {
    expect(ties).toBeGreaterThan(SAMPLES);
  });

  it("refuses float scales per block in the fixed targets with plan/block-target", () => {
    const options: CaseOptions = { ...optionsOf("conv2d", "block", 5), aType: "uint8", bType: "int8", asymmetric: false };
    expect(checkTarget(options, 5, "fixed-single")).toBe("plan/block-target");
    expect(checkTarget(options, 5, "fixed-double")).toBe("plan/block-target");
  });
});
