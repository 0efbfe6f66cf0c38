/** Add, Sub and Mul in integers: exact against fractions on all pairs of codes, fixed targets against TFLite's formulas over BigInt. */
import { describe, expect, test } from "vitest";
import { type Encoding, gridOf, perTensor } from "../../src/encodings/encoding.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { codeOfFraction, fraction, minus, plus, realOf, times } from "./fractions.ts";
import { codesOf, formed, graphOf, int8, int16, referenceOf, uint8, uint16 } from "./smallGraph.ts";

const OPS = { Add: plus, Sub: minus, Mul: times } as const;
type Op = keyof typeof OPS;
const fast = process.env.BITEXACT_TIER === "fast";
/** Of all pairs of codes, those whose sum is a multiple of this are tried. */
const THIN = fast ? 11 : 1;
const PAIRS = fast ? "every 11th of all" : "all";
const SAMPLES = fast ? 2_000 : process.env.BITEXACT_TIER === "soak" ? 100_000 : 8_000;

function pairs(op: Op, a: Encoding, b: Encoding, y: Encoding, count: number) {
  const graph = graphOf({ a: { shape: [count], encoding: a }, b: { shape: [count], encoding: b }, y: { encoding: y } }, [
    { op, inputs: ["a", "b"], outputs: ["y"] },
  ]);
  return formed(graph);
}

function grid(encoding: Encoding): number[] {
  const { qmin, qmax } = gridOf(encoding.type);
  return Array.from({ length: qmax - qmin + 1 }, (_, i) => qmin + i);
}

/** Ratios ½, ¼, ⅛ and 1 make many exact ties; 1/49 and odd ones none. */
const GRIDS: readonly [string, Encoding, Encoding, Encoding][] = [
  ["ratio 1/2", int8(0.25, 3), int8(0.25, -7), int8(0.5, 1)],
  ["ratio 1/8", uint8(0.125, 128), int8(0.25, 0), uint8(1, 100)],
  ["ratio 1/49", int8(1 / 49, 0), uint8(0.0371, 17), int8(0.0533, -20)],
  ["exponents far apart", int8(2 ** -40, 0), int8(0.75, 5), int8(0.5, 0)],
];

describe("linear form, target exact", () => {
  for (const [name, a, b, y] of GRIDS) {
    for (const op of Object.keys(OPS) as Op[]) {
      test(`${op} of ${PAIRS} 65,536 pairs of 8-bit codes equals the exact fraction rounded half to even: ${name}`, () => {
        const all = grid(a).flatMap((p) =>
          grid(b)
            .filter((q) => (p + q) % THIN === 0)
            .map((q) => [p, q] as const),
        );
        const set = pairs(op, a, b, y, all.length);
        expect(set.form.name).toBe("linear");
        const inputs = codesOf({
          a: { dims: [all.length], data: all.map(([p]) => p) },
          b: { dims: [all.length], data: all.map(([, q]) => q) },
        });
        const found = referenceOf(set, inputs)[0]!;
        const wrong = all.filter(([p, q], i) => found[i] !== codeOfFraction(OPS[op](realOf(p, a), realOf(q, b)), y));
        expect(wrong).toEqual([]);
      });
    }
  }

  test(`mixed widths and tie-heavy 16-bit scales equal the exact fraction on ${SAMPLES} pairs per operator, seed 11`, () => {
    const random = createPcg32(11, 0);
    const sets: [Encoding, Encoding, Encoding][] = [
      [uint16(0.25, 30000), int16(0.5, 0), uint16(1, 32768)],
      [int8(0.25, 1), uint16(2 ** -9, 100), int16(2 ** -3, -5)],
      [int16(0.0001337, 12), int16(0.000071, -9), int16(0.0002, 77)],
    ];
    for (const op of Object.keys(OPS) as Op[]) {
      for (const [a, b, y] of sets) {
        const draw = (e: Encoding) => Array.from({ length: SAMPLES }, () => random.integer(gridOf(e.type).qmin, gridOf(e.type).qmax));
        const [p, q] = [draw(a), draw(b)];
        const set = pairs(op, a, b, y, SAMPLES);
        const found = referenceOf(set, codesOf({ a: { dims: [SAMPLES], data: p }, b: { dims: [SAMPLES], data: q } }))[0]!;
        const wrong = p.filter((_, i) => found[i] !== codeOfFraction(OPS[op](realOf(p[i]!, a), realOf(q[i]!, b)), y));
        expect(wrong).toEqual([]);
      }
    }
  });

  test("a float32 constant broadcasts along channels and the clamp after it narrows the codes", () => {
    const shift = Float32Array.of(0.1, -2.5, 7);
    const x = int8(0.25, 2);
    const y = int8(0.125, -4);
    const graph = graphOf(
      {
        x: { shape: [2, 3, 2, 2], encoding: x },
        c: { shape: [3, 1, 1], data: shift },
        y: { encoding: y },
        lo: { shape: [], data: Float32Array.of(-1) },
        hi: { shape: [], data: Float32Array.of(6) },
      },
      [
        { op: "Sub", inputs: ["x", "c"], outputs: ["s"] },
        { op: "Clip", inputs: ["s", "lo", "hi"], outputs: ["y"] },
      ],
    );
    const set = formed(graph);
    expect(set.form.name).toBe("linear");
    const codes = Array.from({ length: 24 }, (_, i) => ((i * 37) % 256) - 128);
    const found = referenceOf(set, codesOf({ x: { dims: [2, 3, 2, 2], data: codes } }))[0]!;
    const least = codeOfFraction(fraction(-1), y);
    const most = codeOfFraction(fraction(6), y);
    const expected = codes.map((q, i) => {
      const code = codeOfFraction(minus(realOf(q, x), fraction(shift[Math.floor(i / 4) % 3]!)), y);
      return Math.min(most, Math.max(least, code));
    });
    expect(found).toEqual(expected);
  });
});

/** TFLite's multiplier of a real: m in [2^30, 2^31), r with real ≈ m·2^−r, from the fraction itself. */
function multiplierOf(real: number): { m: bigint; r: number } {
  let r = 31;
  let x = real;
  while (x < 0.5) [x, r] = [x * 2, r + 1];
  while (x >= 1) [x, r] = [x / 2, r - 1];
  const { n, d } = times(fraction(x), { n: 1n << 31n, d: 1n });
  let m = (2n * n + d) / (2n * d);
  if (m === 1n << 31n) [m, r] = [m / 2n, r - 1];
  return { m, r };
}

function mbqm(x: bigint, { m, r }: { m: bigint; r: number }, rounding: "fixed-single" | "fixed-double"): bigint {
  if (rounding === "fixed-single" || r <= 31) return (x * m + (1n << BigInt(r - 1))) >> BigInt(r);
  const high = (x * m + (1n << 30n)) >> 31n;
  const mask = (1n << BigInt(r - 31)) - 1n;
  const threshold = (mask >> 1n) + (high < 0n ? 1n : 0n);
  return (high >> BigInt(r - 31)) + ((high & mask) > threshold ? 1n : 0n);
}

function fixedOracle(
  op: Op,
  a: Encoding,
  b: Encoding,
  y: Encoding,
  p: number,
  q: number,
  rounding: "fixed-single" | "fixed-double",
): number {
  const [sa, sb, sy] = [a.scale[0]!, b.scale[0]!, y.scale[0]!];
  const x = BigInt(p - a.zeroPoint[0]!);
  const z = BigInt(q - b.zeroPoint[0]!);
  const left = gridOf(a.type).bits > 8 ? 15 : 20;
  const widest = 2 * Math.max(sa, sb);
  const shifted = (v: bigint, s: number) => mbqm(v << BigInt(left), multiplierOf(s / widest), rounding);
  const steps =
    op === "Mul"
      ? mbqm(x * z, multiplierOf((sa * sb) / sy), rounding)
      : mbqm(shifted(x, sa) + (op === "Add" ? 1n : -1n) * shifted(z, sb), multiplierOf(widest / (2 ** left * sy)), rounding);
  const { qmin, qmax } = gridOf(y.type);
  return Math.min(qmax, Math.max(qmin, Number(steps) + y.zeroPoint[0]!));
}

describe("linear form, fixed targets", () => {
  for (const target of ["fixed-single", "fixed-double"] as const) {
    for (const op of Object.keys(OPS) as Op[]) {
      test(`${op} equals TFLite's integer form under ${target}, 8 and 16 bit, seed 12`, () => {
        const random = createPcg32(12, op.length);
        const sets: [Encoding, Encoding, Encoding][] = [
          [int8(0.25, 3), int8(0.5, -7), int8(0.5, 1)],
          [int8(0.0213, -128), int8(0.0071, 4), int8(0.031, 9)],
          [perTensor("int16", 0.00021, 0), perTensor("int16", 0.00007, 0), perTensor("int16", 0.0003, 0)],
        ];
        for (const [a, b, y] of sets) {
          const draw = (e: Encoding) => Array.from({ length: 3000 }, () => random.integer(gridOf(e.type).qmin, gridOf(e.type).qmax));
          const [p, q] = [draw(a), draw(b)];
          const found = referenceOf(
            pairs(op, a, b, y, 3000),
            codesOf({ a: { dims: [3000], data: p }, b: { dims: [3000], data: q } }),
            target,
          )[0]!;
          expect(found).toEqual(p.map((_, i) => fixedOracle(op, a, b, y, p[i]!, q[i]!, target)));
        }
      });
    }
  }

  test("the declared deviation of the fixed targets covers every pair: |code − t| ≤ ½ + D", () => {
    const [a, b, y] = [int8(0.0213, -128), int8(0.0071, 4), int8(0.031, 9)];
    const all = grid(a).flatMap((p) =>
      grid(b)
        .filter((q) => (p + q) % (5 * THIN) === 0)
        .map((q) => [p, q] as const),
    );
    const inputs = codesOf({
      a: { dims: [all.length], data: all.map(([p]) => p) },
      b: { dims: [all.length], data: all.map(([, q]) => q) },
    });
    for (const op of Object.keys(OPS) as Op[]) {
      for (const target of ["fixed-single", "fixed-double"] as const) {
        const set = pairs(op, a, b, y, all.length);
        const codes = referenceOf(set, inputs, target)[0]!;
        const [judged] = set.form.judge(set.data, set.layer, set.graph, inputs, { unit: 2 ** -24 }, target);
        const { exact, deviation } = judged!;
        const outside = codes.filter((q, i) => q > -128 && q < 127 && Math.abs(q - exact[i]!) > 0.5 + deviation![i]!);
        expect(outside).toEqual([]);
        expect(Math.max(...deviation!)).toBeLessThan(0.5);
      }
    }
  });
});
