/** Smooth functions of float32 in lanes: the table's error stays inside its margin, and the kernels give the bits of the function in double. */
import { describe, expect, it } from "vitest";
import { erfTable } from "../../src/kernels/erfTable.ts";
import { UNARY } from "../../src/kernels/floatModes.ts";
import { erf, exp, tanh } from "../../src/numerics/elementary.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { firstDifference, machines, tier } from "./elementwiseMachine.ts";

const f = Math.fround;
const sigmoid = (x: number): number => f(1 / f(1 + f(exp(-x))));
const FUNCTIONS = [
  { name: "erf", kernel: "erf_f32", exact: erf },
  { name: "tanh", kernel: "unary_f32", exact: tanh },
  { name: "exp", kernel: "unary_f32", exact: exp },
  { name: "sigmoid", kernel: "unary_f32", exact: sigmoid },
  { name: "swish", kernel: "unary_f32", exact: (x: number): number => f(x * sigmoid(f(f(1.3) * x))) },
] as const;

/** The polynomial of the table at x ≥ 0. */
function approximate(table: Float64Array, x: number): number {
  const row = 4 + 9 * Math.round(x * table[0]!);
  const h = x - table[row]!;
  let y = table[row + 8]!;
  for (let n = 7; n > 0; n--) y = y * h + table[row + n]!;
  return y;
}

describe("table of erf", () => {
  it("is off by less than half of its margin, at centres, half way and between, and 1 where it ends", () => {
    const table = erfTable();
    const [perUnit, limit, low] = [table[0]!, table[1]!, table[2]!];
    for (let i = 0; i < limit * perUnit; i++)
      for (let j = 0; j <= 64; j++) {
        const x = (i + Math.min(j / 64, 1 - 2 ** -40)) / perUnit;
        if (x === 0) continue;
        const exact = erf(x);
        expect(Math.abs(approximate(table, x) - exact) / exact, `${x}`).toBeLessThan((1 - low) / 2);
      }
    expect(f(erf(limit))).toBe(1);
  });
});

describe.each(machines())("smooth functions, $variant", (machine) => {
  const ends = [22, -22, 21.999999, 86, -86, 86.00001, -86.00001, 88.8, -88.8, -103.9, -104, 1e-45, -1e-45, 1e-38, 1e-20];
  const special = [0, -0, Number.NaN, Infinity, -Infinity, 0.0625, -0.0625, 3.9999998, 4, 9.25, -9.25, 9.2499, 1e30, -1e30, ...ends];
  const centres = Array.from({ length: 400 }, (_, i) => ((i - 200) * Math.LN2) / 64); // of the powers, and between them
  it.each(FUNCTIONS)("$name equals the function of the double, rounded (seed 77)", ({ name, kernel, exact }) => {
    const random = createPcg32(77, 1);
    const count = tier(20_001, 200_001, 5_000_001);
    const spread = Array.from({ length: count }, (_, i) => random.uniform(-1, 1) * 2 ** ((i % 45) - 37));
    const beside = centres.flatMap((c) => [c, c / 2, c + Math.LN2 / 128]);
    const data = Float32Array.from([...special, ...beside, ...spread, ...Array.from({ length: count }, () => random.uniform(-5, 5))]);
    for (const length of [1, 2, 3, 4, 5, special.length, data.length]) {
      machine.reset();
      const output = machine.output(4 * length);
      const input = machine.put(data.subarray(0, length));
      if (kernel === "erf_f32") machine.run(kernel, { input, output, table: machine.put(erfTable()) }, length);
      else machine.run(kernel, { input, output, op: UNARY[name], params: machine.put(Float64Array.of(f(1.3), 0)) }, length);
      const found = new Float32Array(machine.bytes(output, 4 * length).slice().buffer);
      expect(firstDifference(found, Float32Array.from(data.subarray(0, length), exact))).toBeNull();
    }
  });
});
