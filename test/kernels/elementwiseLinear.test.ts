/** linear_binary, add_fixed and mul_fixed against rationals and the TypeScript integer forms: all pairs of 8-bit codes, ties, broadcasting. */

import { describe, expect, it } from "vitest";
import { FIXED_ROUNDING, KIND } from "../../src/kernels/coreElementwise.ts";
import { broadcastDescriptor } from "../../src/kernels/elementwiseArgs.ts";
import { linearReals } from "../../src/kernels/linearReals.ts";
import { applyFixedAdd, fixedAdd, fixedMul, requantizeDouble, requantizeSingle } from "../../src/numerics/fixedPoint.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { fromNumber, mul, type Rational } from "../../src/numerics/rational.ts";
import { broadcastShapes, broadcastStrides, sizeOf } from "../../src/tensor/shape.ts";
import { firstDifference, type Machine, machines, pack, type Stored, storedOf, tier, unpack } from "./elementwiseMachine.ts";

type Op = "add" | "sub" | "mul";
const OPS: readonly Op[] = ["add", "sub", "mul"];

interface Operand {
  readonly stored: Stored | null; // null: float32
  readonly data: readonly number[]; // stored codes or floats
  readonly zero: number;
  readonly scale: number;
}

interface Result {
  readonly stored: Stored;
  readonly zero: number;
  readonly scale: number;
}

/** a/b rounded half to even, for b > 0. */
function divideHalfEven(a: bigint, b: bigint): bigint {
  let q = a / b;
  let r = a % b;
  if (r < 0n) {
    q -= 1n;
    r += b;
  }
  if (2n * r > b || (2n * r === b && (q & 1n) === 1n)) q += 1n;
  return q;
}

/** code(na, nb) of the exact result, scales as rationals brought to one denominator. Operand values are exact doubles. */
function oracle(op: Op, a: Operand, b: Operand, y: Result): (i: number, j: number) => number {
  const [sa, sb, sy] = [a.scale, b.scale, y.scale].map((s) => fromNumber(s)) as [Rational, Rational, Rational];
  const clamp = (code: bigint) => Math.max(y.stored.lowest, Math.min(y.stored.highest, Number(code) + y.zero));
  const value = (operand: Operand, k: number) => (operand.data[k] as number) - operand.zero;
  const whole = a.stored !== null && b.stored !== null;
  const both = mul(sa, sb);
  const [first, second, below] =
    op === "mul"
      ? [both.num * sy.den, 0n, sy.num * both.den]
      : [sa.num * sb.den * sy.den, sb.num * sa.den * sy.den * (op === "sub" ? -1n : 1n), sy.num * sa.den * sb.den];
  return (i, j) => {
    const x = value(a, i);
    const z = value(b, j);
    if (whole) return clamp(divideHalfEven(op === "mul" ? first * BigInt(x * z) : first * BigInt(x) + second * BigInt(z), below));
    const [rx, rz] = [fromNumber(x), fromNumber(z)];
    const den = rx.den * rz.den;
    return clamp(divideHalfEven(op === "mul" ? first * rx.num * rz.num : first * rx.num * rz.den + second * rz.num * rx.den, below * den));
  };
}

function largest(operand: Operand): number {
  return operand.data.reduce((max, x) => Math.max(max, Math.abs(x - operand.zero)), 0);
}

interface Shapes {
  readonly out: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** `eps`: near-tie thresholds other than the proven ones, double and float32 (1: not used). */
function runLinear(machine: Machine, op: Op, a: Operand, b: Operand, y: Result, shapes: Shapes, eps?: readonly [number, number]): number[] {
  machine.reset();
  const whole = a.stored !== null && b.stored !== null;
  const reals = linearReals(op, a.scale, b.scale, y.scale, largest(a), largest(b), whole);
  if (eps) [reals[3], reals[6]] = eps;
  const put = ({ stored, data }: Operand) => machine.put(stored ? pack(stored, data) : Float32Array.from(data), stored ? stored.bytes : 4);
  const size = sizeOf(shapes.out);
  const walk = broadcastDescriptor(shapes.out, broadcastStrides(shapes.a, shapes.out), broadcastStrides(shapes.b, shapes.out));
  const output = machine.output(size * y.stored.bytes, y.stored.bytes);
  machine.run(
    "linear_binary",
    {
      a: put(a),
      b: put(b),
      output,
      aKind: a.stored?.kind ?? KIND.f32,
      bKind: b.stored?.kind ?? KIND.f32,
      outKind: y.stored.kind,
      rank: walk.rank,
      shape: machine.put(walk.words),
      aZero: a.zero,
      bZero: b.zero,
      outZero: y.zero,
      min: y.stored.lowest,
      max: y.stored.highest,
      op: op === "mul" ? 1 : 0,
      reals: machine.put(reals),
    },
    walk.units,
  );
  return unpack(machine, y.stored, output, size);
}

function expectLinear(machine: Machine, op: Op, a: Operand, b: Operand, y: Result, shapes: Shapes, what: string): void {
  const code = oracle(op, a, b, y);
  const aAt = offsets(shapes.a, shapes.out);
  const bAt = offsets(shapes.b, shapes.out);
  const expected = aAt.map((i, k) => code(i, bAt[k] as number));
  expect(firstDifference(runLinear(machine, op, a, b, y, shapes), expected), what).toBeNull();
}

/** Element of an operand of shape `dims` for each element of the broadcast shape. */
function offsets(dims: readonly number[], out: readonly number[]): number[] {
  const strides = broadcastStrides(dims, out);
  return Array.from({ length: sizeOf(out) }, (_, k) => {
    let rest = k;
    let at = 0;
    for (let axis = out.length - 1; axis >= 0; axis--) {
      at += (rest % (out[axis] as number)) * (strides[axis] as number);
      rest = Math.floor(rest / (out[axis] as number));
    }
    return at;
  });
}

const f = Math.fround;
/** (sa, sb, sy): ratios ½ ¼ ⅛ 1 1/49 make exact ties; the others are as trained ones. */
const SCALES: readonly (readonly [number, number, number])[] = [
  [0.5, 0.5, 1],
  [f(0.1), f(0.025), f(0.2)],
  [1 / 8, 1 / 4, 1 / 2],
  [f(1 / 49), f(1 / 49), 1],
  [f(0.0235), f(0.0117), f(0.0307)],
  [1, 1, 1],
  [f(0.003), f(0.9), f(0.05)],
  [f(0.7), f(0.7), f(1.4)],
  [2 ** -20, 3 * 2 ** -21, 2 ** -20],
  [f(0.1), f(0.1), f(0.3)],
];

function codes8(stored: Stored): number[] {
  return Array.from({ length: 256 }, (_, i) => stored.lowest + i);
}

function randomCodes(random: ReturnType<typeof createPcg32>, stored: Stored, count: number): number[] {
  return Array.from({ length: count }, () => random.integer(stored.lowest, stored.highest));
}

describe.each(machines())("linear operators, $variant", (machine) => {
  const q8 = storedOf(machine, 8);
  const q16 = storedOf(machine, 16);
  const sets = tier(2, SCALES.length, SCALES.length);

  it.each(OPS)(`linear_binary %s: all 65,536 pairs of 8-bit codes on ${sets} sets of scales equal rationals`, (op) => {
    for (const [n, [sa, sb, sy]] of SCALES.slice(0, sets).entries()) {
      const a = { stored: q8, data: codes8(q8), zero: q8.lowest + ((n * 37) % 256), scale: sa };
      const b = { stored: q8, data: codes8(q8), zero: q8.lowest + ((n * 91 + 128) % 256), scale: sb };
      const y = { stored: q8, zero: q8.lowest + ((n * 53 + 127) % 256), scale: op === "mul" ? f(sa * sb * (n % 2 ? 64 : 2)) : sy };
      expectLinear(machine, op, a, b, y, { out: [256, 256], a: [256, 1], b: [256] }, `${op}, scales ${sa}, ${sb}, ${y.scale}`);
    }
  });

  it("linear_binary decides sums that double cannot tell from a tie", () => {
    // t = nb/2 + na·2^-52·0.91: half of all pairs lie within 2^-44 of a tie, on the side of the sign of na
    for (const op of ["add", "sub"] as const) {
      const a = { stored: q8, data: codes8(q8), zero: q8.lowest + 100, scale: f(1.37 * 2 ** -52) };
      const b = { stored: q8, data: codes8(q8), zero: q8.lowest + 30, scale: 0.75 };
      const y = { stored: q16, zero: 32768, scale: 1.5 };
      const shapes = { out: [256, 256], a: [256, 1], b: [256] };
      expectLinear(machine, op, a, b, y, shapes, op);
      const exact = runLinear(machine, op, a, b, y, shapes);
      expect(firstDifference(runLinear(machine, op, a, b, y, shapes, [0, 1]), exact), "double alone would be wrong").not.toBeNull();
    }
  });

  it.each(OPS)("linear_binary %s: the exact decision, forced on every lane within 0.2 of a tie, changes nothing", (op) => {
    const a = { stored: q8, data: codes8(q8), zero: q8.lowest + 99, scale: f(0.7) };
    const b = { stored: q8, data: codes8(q8), zero: q8.lowest + 128, scale: f(0.7) };
    const y = { stored: q16, zero: 32768, scale: f(1.4) };
    const shapes = { out: [256, 256], a: [256, 1], b: [256] };
    expect(firstDifference(runLinear(machine, op, a, b, y, shapes, [0.2, 1]), runLinear(machine, op, a, b, y, shapes))).toBeNull();
    const single = runLinear(machine, op, a, b, y, shapes, [2 ** -40, 0]);
    if (op === "mul")
      expect(firstDifference(single, runLinear(machine, op, a, b, y, shapes)), "float32 alone would be wrong").not.toBeNull();
  });

  it.each(OPS)("linear_binary %s on 8-bit codes: float32 with any near-tie threshold gives the same", (op) => {
    const a = { stored: q8, data: codes8(q8), zero: q8.lowest + 99, scale: f(0.71) };
    const b = { stored: q8, data: codes8(q8), zero: q8.lowest + 128, scale: f(0.33) };
    const y = { stored: q8, zero: q8.lowest + 100, scale: op === "mul" ? f(91.3) : f(1.4) };
    for (const shapes of [
      { out: [256, 256], a: [256, 1], b: [256] },
      { out: [256, 256], a: [256], b: [256, 1] },
      { out: [256], a: [256], b: [256] },
    ]) {
      const double = runLinear(machine, op, a, b, y, shapes, [2 ** -30, 1]);
      for (const eps of [2 ** -12, 0.001, 0.01, 0.2]) {
        expect(firstDifference(runLinear(machine, op, a, b, y, shapes, [2 ** -30, eps]), double), `${eps}`).toBeNull();
      }
    }
  });

  it("linearReals lets float32 decide where it is exact", () => {
    const threshold = (op: Op, sa: number, sb: number, sy: number, whole = true) => linearReals(op, sa, sb, sy, 255, 255, whole)[6];
    for (const [sa, sb, sy] of [
      [0.5, 0.5, 1],
      [1, 1, 1],
      [0.25, 0.125, 1],
      [f(0.7), f(0.7), f(1.4)],
    ] as const) {
      expect(threshold("add", sa, sb, sy)).toBe(0);
      expect(threshold("sub", sa, sb, sy, false)).toBeGreaterThan(0);
    }
    expect(threshold("mul", 0.5, 0.5, 64)).toBe(0);
    expect(threshold("mul", 0.5, 0.5, 63)).toBeGreaterThan(0);
    expect(threshold("add", f(0.1), f(0.1), f(0.3))).toBeGreaterThan(0);
    expect(threshold("add", 1 + 2 ** -20, 1, 1)).toBeGreaterThan(0);
  });

  const pairs = tier(3000, 20_000, 400_000);
  it.each(OPS)(`linear_binary %s: ${pairs} pairs of 16-bit codes equal rationals, a third with tie-heavy scales (seed 21)`, (op) => {
    const random = createPcg32(21);
    for (let n = 0; n < 4; n++) {
      const [sa, sb, sy] =
        n < 2
          ? (SCALES[n] as readonly [number, number, number])
          : [f(random.uniform(1e-5, 1e-3)), f(random.uniform(1e-5, 1e-3)), f(random.uniform(1e-5, 1e-3))];
      const count = Math.ceil(pairs / 4);
      const a = { stored: q16, data: randomCodes(random, q16, count), zero: 32768, scale: sa };
      const b = { stored: q16, data: randomCodes(random, q16, count), zero: random.integer(0, 65535), scale: sb };
      const y = {
        stored: n % 2 ? q8 : q16,
        zero: n % 2 ? q8.lowest + 128 : 30001,
        scale: op === "mul" ? f(sa * sb * 2 ** (14 + n)) : sy * (n % 2 ? 256 : 1),
      };
      expectLinear(machine, op, a, b, y, { out: [count], a: [count], b: [count] }, `${op}, set ${n}`);
    }
  });

  it.each(OPS)("linear_binary %s: float32 constants as second operand equal rationals (seed 22)", (op) => {
    const random = createPcg32(22);
    for (let n = 0; n < 6; n++) {
      const floats = Array.from({ length: 37 }, (_, i) => (i === 0 ? 0 : n < 2 ? i / 4 - 4 : f(random.uniform(-3, 3))));
      const a = {
        stored: n % 2 ? q16 : q8,
        data: randomCodes(random, n % 2 ? q16 : q8, 37 * 5),
        zero: n % 2 ? 32768 : q8.lowest + 128,
        scale: n < 2 ? 0.5 : f(0.0371),
      };
      const b = { stored: null, data: floats, zero: 0, scale: 1 };
      const y = { stored: n % 3 ? q8 : q16, zero: n % 3 ? q8.lowest + 100 : 32768, scale: n < 2 ? 0.25 : f(0.051) };
      expectLinear(machine, op, a, b, y, { out: [5, 37], a: [5, 37], b: [37] }, `${op}, set ${n}`);
      expectLinear(machine, op, b, a, y, { out: [5, 37], a: [37], b: [5, 37] }, `${op} swapped, set ${n}`);
    }
  });

  const BROADCASTS: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[1], [1]],
    [[0], [0]],
    [[3, 0], [1]],
    [[33], [33]],
    [[65], [1]],
    [[1], [31]],
    [[2, 3, 4], [4]],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [
      [2, 1, 4],
      [3, 1],
    ],
    [
      [2, 5, 6, 7],
      [5, 1, 1],
    ],
    [
      [5, 1, 1],
      [2, 5, 6, 7],
    ],
    [
      [2, 1, 3, 1, 35],
      [1, 4, 1, 5, 1],
    ],
    [
      [7, 1],
      [1, 9],
    ],
    [
      [2, 2, 2, 2, 2],
      [2, 1, 2, 1, 2],
    ],
  ];
  it("linear_binary, add_fixed and mul_fixed broadcast as numpy does (seed 23)", () => {
    const random = createPcg32(23);
    for (const [aDims, bDims] of BROADCASTS) {
      const out = broadcastShapes(aDims, bDims) as number[];
      const shapes = { out, a: aDims, b: bDims };
      const a = { stored: q8, data: randomCodes(random, q8, sizeOf(aDims)), zero: q8.lowest + 5, scale: f(0.02) };
      const b = { stored: q8, data: randomCodes(random, q8, sizeOf(bDims)), zero: q8.lowest + 200, scale: f(0.03) };
      const y = { stored: q8, zero: q8.lowest + 128, scale: f(0.05) };
      for (const op of OPS) expectLinear(machine, op, a, b, y, shapes, `${op} [${aDims}] [${bDims}]`);
      for (const op of OPS) expectFixed(machine, op, "double", a, b, y, shapes);
    }
  });

  it.each(OPS)("fixed targets, %s: all 65,536 pairs of 8-bit codes equal the TypeScript integer forms", (op) => {
    for (const [sa, sb, sy] of SCALES.slice(0, tier(1, 4, 10))) {
      const a = { stored: q8, data: codes8(q8), zero: q8.lowest + 3, scale: sa };
      const b = { stored: q8, data: codes8(q8), zero: q8.lowest + 250, scale: sb };
      const y = { stored: q8, zero: q8.lowest + 120, scale: op === "mul" ? f(sa * sb * 40) : sy };
      for (const rounding of ["single", "double"] as const)
        expectFixed(machine, op, rounding, a, b, y, { out: [256, 256], a: [256, 1], b: [256] });
    }
  });

  it.each(OPS)("fixed targets, %s: int16 codes equal the TypeScript integer forms (seed 24)", (op) => {
    const random = createPcg32(24);
    const count = tier(2000, 10_000, 100_000);
    for (const rounding of ["single", "double"] as const) {
      const a = { stored: q16, data: randomCodes(random, q16, count), zero: 32768, scale: f(1 / 32768) };
      const b = { stored: q16, data: randomCodes(random, q16, count), zero: 32768, scale: f(0.0001) };
      const y = { stored: q16, zero: 32768, scale: op === "mul" ? f(0.0001) : f(0.0001231) };
      expectFixed(machine, op, rounding, a, b, y, { out: [count], a: [count], b: [count] });
    }
  });
});

function expectFixed(machine: Machine, op: Op, rounding: "single" | "double", a: Operand, b: Operand, y: Result, shapes: Shapes): void {
  machine.reset();
  const requantize = rounding === "single" ? requantizeSingle : requantizeDouble;
  const add = fixedAdd(a.scale, b.scale, y.scale, a.stored?.bytes === 2 ? 16 : 8);
  const product = fixedMul(a.scale, b.scale, y.scale);
  const size = sizeOf(shapes.out);
  const walk = broadcastDescriptor(shapes.out, broadcastStrides(shapes.a, shapes.out), broadcastStrides(shapes.b, shapes.out));
  const output = machine.output(size * y.stored.bytes);
  const kind = (operand: Operand) => (operand.stored as Stored).kind;
  const common = {
    a: machine.put(pack(a.stored as Stored, a.data)),
    b: machine.put(pack(b.stored as Stored, b.data)),
    output,
    aKind: kind(a),
    bKind: kind(b),
    outKind: y.stored.kind,
    rank: walk.rank,
    shape: machine.put(walk.words),
    aZero: a.zero,
    bZero: b.zero,
    outZero: y.zero,
    min: y.stored.lowest,
    max: y.stored.highest,
    rounding: FIXED_ROUNDING[rounding],
  };
  if (op === "mul") machine.run("mul_fixed", { ...common, multiplier: product.multiplier, shift: product.r }, walk.units);
  else {
    machine.run(
      "add_fixed",
      {
        ...common,
        subtract: op === "sub" ? 1 : 0,
        left: add.leftShift,
        aMultiplier: add.a.multiplier,
        aShift: add.a.r,
        bMultiplier: add.b.multiplier,
        bShift: add.b.r,
        outMultiplier: add.out.multiplier,
        outShift: add.out.r,
      },
      walk.units,
    );
  }
  const aAt = offsets(shapes.a, shapes.out);
  const bAt = offsets(shapes.b, shapes.out);
  const expected = aAt.map((i, k) => {
    const x = (a.data[i] as number) - a.zero;
    const z = (b.data[bAt[k] as number] as number) - b.zero;
    const code = op === "mul" ? requantize(x * z, product.multiplier, product.r) : applyFixedAdd(add, x, z, op === "sub", requantize);
    return Math.max(y.stored.lowest, Math.min(y.stored.highest, code + y.zero));
  });
  expect(firstDifference(unpack(machine, y.stored, output, size), expected), `${op} ${rounding}`).toBeNull();
}
