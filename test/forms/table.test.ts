/** Tables: rational chains against exact fractions on whole grids, other functions against one double expression. */
import { describe, expect, test } from "vitest";
import { type Encoding, gridOf } from "../../src/encodings/encoding.ts";
import { erf, exp, tanh } from "../../src/numerics/elementary.ts";
import { codeOfFraction, type Fraction, fraction, over, plus, realOf, times, whole } from "./fractions.ts";
import { codesOf, formed, graphOf, int8, int16, type NodeSpec, referenceOf, uint8, uint16, type ValueSpec } from "./smallGraph.ts";

const scalar = (x: number): ValueSpec => ({ shape: [], data: Float32Array.of(x) });

const fast = process.env.BITEXACT_TIER === "fast";
/** Of a 16-bit grid, every so many-th code is tried. */
const THIN = fast ? 16 : 1;
const CODES = fast ? "every code of 8 bit, every 16th of 16 bit" : "every code";

/** Reference codes of a chain x → y over the grid of x. */
function overGrid(
  from: Encoding,
  to: Encoding,
  nodes: readonly NodeSpec[],
  constants: Record<string, ValueSpec> = {},
): { q: number[]; found: number[] } {
  const { qmin, qmax } = gridOf(from.type);
  const step = qmax - qmin > 255 ? THIN : 1;
  const q = Array.from({ length: Math.ceil((qmax - qmin + 1) / step) }, (_, i) => qmin + step * i);
  const set = formed(graphOf({ x: { shape: [q.length], encoding: from }, ...constants, y: { encoding: to } }, nodes));
  expect(set.form.name).toBe("table");
  return { q, found: referenceOf(set, codesOf({ x: { dims: [q.length], data: q } }))[0]! };
}

function expectFractions(
  from: Encoding,
  to: Encoding,
  nodes: readonly NodeSpec[],
  f: (x: Fraction) => Fraction,
  constants: Record<string, ValueSpec> = {},
): void {
  const { q, found } = overGrid(from, to, nodes, constants);
  expect(q.filter((code, i) => found[i] !== codeOfFraction(f(realOf(code, from)), to))).toEqual([]);
}

const max = (a: Fraction, b: Fraction): Fraction => (a.n * b.d >= b.n * a.d ? a : b);
const min = (a: Fraction, b: Fraction): Fraction => (a.n * b.d <= b.n * a.d ? a : b);
const zero = whole(0);
const one = whole(1);
const GRIDS: readonly [string, Encoding, Encoding][] = [
  ["8 to 8 bit, ratio 1/8", int8(0.125, -3), int8(1, 5)],
  ["8 to 16 bit", uint8(0.0213, 128), uint16(0.00031, 30000)],
  ["16 to 8 bit, ratio 1/4", uint16(0.25, 32000), int8(1, 0)],
  ["16 to 16 bit", int16(0.00037, 11), int16(0.00021, -5)],
  ["4 to 8 bit", { ...int8(0.5, -1), type: "int4" }, int8(0.25, 0)],
];

describe(`table form, rational functions: the exact fraction rounded half to even on ${CODES}`, () => {
  for (const [name, from, to] of GRIDS) {
    test(`Relu: ${name}`, () => expectFractions(from, to, [{ op: "Relu", inputs: ["x"], outputs: ["y"] }], (x) => max(x, zero)));

    test(`(x + c)·d then Clip: ${name}`, () => {
      const constants = { c: scalar(0.0625), d: scalar(-1.5), lo: scalar(-2), hi: scalar(3.1) };
      const nodes: NodeSpec[] = [
        { op: "Add", inputs: ["c", "x"], outputs: ["s"] },
        { op: "Mul", inputs: ["s", "d"], outputs: ["t"] },
        { op: "Clip", inputs: ["t", "lo", "hi"], outputs: ["y"] },
      ];
      const c = fraction(Math.fround(3.1));
      expectFractions(from, to, nodes, (x) => min(max(times(plus(x, fraction(0.0625)), fraction(-1.5)), whole(-2)), c), constants);
    });

    test(`hard swish in pieces, x·max(0, min(1, x/6 + ½)): ${name}`, () => {
      const constants = { six: scalar(6), half: scalar(0.5), zero: scalar(0), one: scalar(1) };
      const nodes: NodeSpec[] = [
        { op: "Div", inputs: ["x", "six"], outputs: ["a"] },
        { op: "Add", inputs: ["a", "half"], outputs: ["b"] },
        { op: "Clip", inputs: ["b", "zero", "one"], outputs: ["c"] },
        { op: "Mul", inputs: ["x", "c"], outputs: ["y"] },
      ];
      const f = (x: Fraction) => times(x, max(zero, min(one, plus(over(x, whole(6)), fraction(0.5)))));
      expectFractions(from, to, nodes, f, constants);
    });
  }

  test("x·x, where half of all codes are ties", () => {
    const from = int8(0.5, 0);
    expectFractions(from, uint8(0.5, 0), [{ op: "Mul", inputs: ["x", "x"], outputs: ["y"] }], (x) => times(x, x));
  });

  test("a reciprocal saturates at the pole", () => {
    const from = int8(0.25, 0);
    const to = int8(0.03125, 0);
    const { q, found } = overGrid(from, to, [{ op: "Reciprocal", inputs: ["x"], outputs: ["y"] }]);
    expect(found[q.indexOf(0)]).toBe(127);
    const rest = q.filter((code) => code !== 0);
    expect(rest.filter((code) => found[q.indexOf(code)] !== codeOfFraction(over(one, realOf(code, from)), to))).toEqual([]);
  });
});

function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

describe(`table form, other functions: one double expression in node order, on ${CODES}`, () => {
  const sigmoid = (x: number) => 1 / (1 + exp(-x));
  const functions: readonly [string, readonly NodeSpec[], (x: number) => number, Record<string, ValueSpec>][] = [
    ["Sigmoid", [{ op: "Sigmoid", inputs: ["x"], outputs: ["y"] }], sigmoid, {}],
    [
      "x·sigmoid(x)",
      [
        { op: "Sigmoid", inputs: ["x"], outputs: ["s"] },
        { op: "Mul", inputs: ["x", "s"], outputs: ["y"] },
      ],
      (x) => x * sigmoid(x),
      {},
    ],
    ["Tanh", [{ op: "Tanh", inputs: ["x"], outputs: ["y"] }], tanh, {}],
    [
      "gelu in pieces",
      [
        { op: "Div", inputs: ["x", "r"], outputs: ["a"] },
        { op: "Erf", inputs: ["a"], outputs: ["b"] },
        { op: "Add", inputs: ["b", "o"], outputs: ["c"] },
        { op: "Mul", inputs: ["x", "c"], outputs: ["d"] },
        { op: "Mul", inputs: ["d", "h"], outputs: ["y"] },
      ],
      (x) => x * (erf(x / Math.fround(Math.SQRT2)) + 1) * 0.5,
      { r: scalar(Math.SQRT2), o: scalar(1), h: scalar(0.5) },
    ],
  ];
  for (const [name, nodes, f, constants] of functions) {
    for (const [grids, from, to] of GRIDS) {
      test(`${name}: ${grids}`, () => {
        const { q, found } = overGrid(from, to, nodes, constants);
        const { qmin, qmax } = gridOf(to.type);
        const expected = q.map((code) => {
          const steps = roundEven(f(from.scale[0]! * (code - from.zeroPoint[0]!)) / to.scale[0]!) + to.zeroPoint[0]!;
          return Math.min(qmax, Math.max(qmin, steps));
        });
        expect(q.filter((_, i) => found[i] !== expected[i])).toEqual([]);
      });
    }
  }
});
