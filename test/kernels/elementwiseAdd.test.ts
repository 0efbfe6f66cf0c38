/** add_q8 against exact arithmetic: all pairs of 8-bit codes, rows of every length around the vector's, broadcasting, clamps. */
import { describe, expect, it } from "vitest";
import { broadcastDescriptor, codeSumFields } from "../../src/kernels/elementwiseArgs.ts";
import { divideExact } from "../../src/numerics/decide.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { type CodeSum, proveSum } from "../../src/numerics/proveSum.ts";
import { broadcastStrides, sizeOf } from "../../src/tensor/shape.ts";
import { firstDifference, type Machine, machines, pack, type Stored, storedOf, tier, unpack } from "./elementwiseMachine.ts";

const f = Math.fround;

/** Scales of a, b and the result. */
const SCALES: readonly (readonly [number, number, number])[] = [
  [f(0.0235), f(0.0117), f(0.0307)],
  [f(0.0235), -f(0.0117), f(0.0307)],
  [f(0.1), f(0.1), f(0.1)],
  [f(0.0591), f(0.0021), f(0.0307)],
  [f(0.031), f(0.031), f(0.0507)],
  [f(1 / 49), f(1 / 47), f(1 / 31)],
];

interface Side {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

function sumFor(stored: Stored, n: number): CodeSum {
  const [scaleA, scaleB, scale] = SCALES[n % SCALES.length]!;
  const zero = (k: number) => stored.lowest + ((n * k + 90) % 256);
  return { scaleA, scaleB, scale, zeroA: zero(37), zeroB: zero(91), zero: zero(53), lowest: stored.lowest };
}

function run(
  machine: Machine,
  sum: CodeSum,
  a: Side,
  b: Side,
  out: readonly number[],
  bounds: readonly [number, number],
  skew = 0,
): number[] {
  machine.reset();
  const stored = storedOf(machine, 8);
  const walk = broadcastDescriptor(out, broadcastStrides(a.dims, out), broadcastStrides(b.dims, out));
  const output = machine.output(sizeOf(out), skew);
  const fields = {
    a: machine.put(pack(stored, a.data), skew),
    b: machine.put(pack(stored, b.data), 3 * skew),
    output,
    rank: walk.rank,
    shape: machine.put(walk.words),
    ...codeSumFields(proveSum(sum)!),
    min: bounds[0],
    max: bounds[1],
  };
  machine.run("add_q8", fields, walk.units);
  return unpack(machine, stored, output, sizeOf(out));
}

function expected(sum: CodeSum, a: Side, b: Side, out: readonly number[], [min, max]: readonly [number, number]): number[] {
  const at = (dims: readonly number[]) => {
    const strides = broadcastStrides(dims, out);
    return (k: number): number => {
      let index = 0;
      for (let axis = out.length - 1, rest = k; axis >= 0; rest = Math.floor(rest / out[axis--]!))
        index += (rest % out[axis]!) * strides[axis]!;
      return index;
    };
  };
  const [i, j] = [at(a.dims), at(b.dims)];
  return Array.from({ length: sizeOf(out) }, (_, k) => {
    const terms: [number, number][] = [
      [sum.scaleA, a.data[i(k)]! - sum.zeroA],
      [sum.scaleB, b.data[j(k)]! - sum.zeroB],
    ];
    return Math.max(min, Math.min(max, divideExact(terms, [sum.scale, 1]) + sum.zero));
  });
}

describe.each(machines())("add_q8, $variant", (machine) => {
  const stored = storedOf(machine, 8);
  const whole = [stored.lowest, stored.highest] as const;
  const all = Array.from({ length: 256 }, (_, i) => stored.lowest + i);
  const sets = tier(2, SCALES.length, SCALES.length);

  it(`all 65,536 pairs of codes on ${sets} sets of scales are exact`, () => {
    for (let n = 0; n < sets; n++) {
      const sum = sumFor(stored, n);
      const a = { dims: [256, 256], data: all.flatMap((code) => new Array<number>(256).fill(code)) };
      const b = { dims: [256], data: all };
      const out = [256, 256];
      expect(firstDifference(run(machine, sum, a, b, out, whole), expected(sum, a, b, out, whole)), `set ${n}`).toBeNull();
    }
  });

  const random = createPcg32(52);
  const side = (dims: readonly number[]): Side => ({
    dims,
    data: Array.from({ length: sizeOf(dims) }, () => random.integer(stored.lowest, stored.highest)),
  });

  it("rows of every length from 0 to 50, unaligned, with clamps (seed 52)", () => {
    const bounds = [stored.lowest + 40, stored.highest - 30] as const;
    for (let count = 0; count <= 50; count++) {
      const sum = sumFor(stored, count);
      const [a, b] = [side([count]), side([count])];
      const found = run(machine, sum, a, b, [count], bounds, count % 4);
      expect(firstDifference(found, expected(sum, a, b, [count], bounds)), `${count} elements`).toBeNull();
    }
  });

  it.each([
    [[2, 3, 35], [35]],
    [
      [2, 1, 4, 5],
      [3, 1, 5],
    ],
    [
      [3, 2, 1, 33],
      [3, 1, 2, 33],
    ],
    [[17], [4, 3, 17]],
  ])("broadcasts %j with %j (seed 52)", (aDims, bDims) => {
    const out = Array.from({ length: Math.max(aDims.length, bDims.length) }, (_, i, rank = Math.max(aDims.length, bDims.length)) =>
      Math.max(aDims[i - rank + aDims.length] ?? 1, bDims[i - rank + bDims.length] ?? 1),
    );
    const sum = sumFor(stored, 4);
    const [a, b] = [side(aDims), side(bDims)];
    expect(firstDifference(run(machine, sum, a, b, out, whole), expected(sum, a, b, out, whole))).toBeNull();
  });
});
