/** Smooth functions from tables: the table's error stays inside its margin, and the kernel gives the bits of the function in double. */
import { describe, expect, it } from "vitest";
import { type Saturating, saturatingCode, saturatingTable } from "../../src/kernels/smoothTables.ts";
import { erf, tanh } from "../../src/numerics/elementary.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { firstDifference, machines, tier } from "./elementwiseMachine.ts";

const EXACT = { erf, tanh } as const;
const NAMES = Object.keys(EXACT) as Saturating[];

/** The polynomial of a table at x ≥ 0. */
function approximate(table: Float64Array, x: number): number {
  const row = 4 + 9 * Math.round(x * table[0]!);
  const h = x - table[row]!;
  let y = table[row + 8]!;
  for (let n = 7; n > 0; n--) y = y * h + table[row + n]!;
  return y;
}

describe.each(NAMES)("table of %s", (name) => {
  it("is off by less than half of its margin, at centres, half way and between, and 1 where it ends", () => {
    const table = saturatingTable(name);
    const [perUnit, limit, low] = [table[0]!, table[1]!, table[2]!];
    for (let i = 0; i < limit * perUnit; i++)
      for (let j = 0; j <= 64; j++) {
        const x = (i + Math.min(j / 64, 1 - 2 ** -40)) / perUnit;
        if (x === 0) continue;
        const exact = EXACT[name](x);
        expect(Math.abs(approximate(table, x) - exact) / exact, `${x}`).toBeLessThan((1 - low) / 2);
      }
    expect(Math.fround(EXACT[name](limit))).toBe(1);
  });
});

describe.each(machines())("saturating_f32, $variant", (machine) => {
  const special = [
    0,
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    1e-45,
    -1e-45,
    1e-38,
    1e-20,
    0.0625,
    -0.0625,
    3.9999998,
    4,
    9.25,
    -9.25,
    9.2499,
    1e30,
  ];
  it.each(NAMES)("%s equals the function of the double, rounded (seed 77)", (name) => {
    const random = createPcg32(77, 1);
    const count = tier(20_001, 200_001, 5_000_001);
    const spread = Array.from({ length: count }, (_, i) => random.uniform(-1, 1) * 2 ** ((i % 40) - 36));
    const data = Float32Array.from([...special, ...spread, ...Array.from({ length: count }, () => random.uniform(-5, 5))]);
    for (const length of [1, 2, 3, special.length, data.length]) {
      machine.reset();
      const output = machine.output(4 * length);
      const fields = {
        input: machine.put(data.subarray(0, length)),
        output,
        which: saturatingCode(name),
        table: machine.put(saturatingTable(name)),
      };
      machine.run("saturating_f32", fields, length);
      const found = new Float32Array(machine.bytes(output, 4 * length).slice().buffer);
      expect(firstDifference(found, Float32Array.from(data.subarray(0, length), EXACT[name]))).toBeNull();
    }
  });
});
