/** And, Or, Xor, Equal, Less, LessOrEqual, Greater, GreaterOrEqual, Where. Truth is 1, falsehood 0. */

import * as rational from "../numerics/rational.ts";
import { broadcastOffsets, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { noAttrs } from "./attributes.ts";
import { defineBinary } from "./binary.ts";
import { boundAt } from "./bounds.ts";
import { broadcastAll, numbersAt, required, requireSameTypes, requireType } from "./checks.ts";
import { defineOp, type Numbers, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";

type Test = (a: number, b: number) => boolean;

function defineLogic(type: string, test: Test): OpDef {
  const op = defineBinary({
    type,
    since: 7,
    parse: noAttrs,
    result: "bool",
    scalar: (a, b) => (test(a, b) ? 1 : 0),
    bound: (_a, ea, _b, eb) => Math.max(ea, eb),
  });
  return erased({
    ...op,
    infer(inputs, attrs) {
      for (const i of [0, 1]) requireType(required(inputs, i), i, "bool");
      return op.infer(inputs, attrs);
    },
  });
}

/** The outcome may differ once the operands' bounds meet. */
function defineComparison(type: string, since: number, test: Test): OpDef {
  return erased(
    defineBinary({
      type,
      since,
      parse: noAttrs,
      result: "bool",
      scalar: (a, b) => (test(a, b) ? 1 : 0),
      bound: (a, ea, b, eb) => (ea + eb > 0 && Math.abs(a - b) <= ea + eb ? 1 : 0),
    }),
  );
}

function choose(
  inputs: readonly (Numbers | null)[],
  out: Numbers,
  pick: (truth: number, i: number, x: number, y: number) => number,
): Numbers {
  const [c, x, y] = [numbersAt(inputs, 0), numbersAt(inputs, 1), numbersAt(inputs, 2)];
  const [cAt, xAt, yAt] = [broadcastOffsets(c.dims, out.dims), broadcastOffsets(x.dims, out.dims), broadcastOffsets(y.dims, out.dims)];
  for (let i = 0; i < out.data.length; i++) {
    const truth = cAt ? (cAt[i] as number) : i;
    out.data[i] = pick(c.data[truth] as number, truth, xAt ? (xAt[i] as number) : i, yAt ? (yAt[i] as number) : i);
  }
  return out;
}

const where = defineOp<object>({
  type: "Where",
  since: 9,
  arity: { inputs: [3, 3], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    const all = [required(inputs, 0), required(inputs, 1), required(inputs, 2)] as const;
    requireType(all[0], 0, "bool");
    requireSameTypes(all.slice(1));
    return [{ type: all[1].type, dims: broadcastAll(all) }];
  },
  float(inputs, _attrs, precision) {
    const [x, y] = [numbersAt(inputs, 1), numbersAt(inputs, 2)];
    const dims = broadcastAll(inputs.map((one) => ({ type: "float32", dims: (one as Numbers).dims })));
    return [choose(inputs, zerosLike(x, dims, precision), (truth, _i, xi, yi) => (truth !== 0 ? x.data[xi] : y.data[yi]) as number)];
  },
  /** The chosen operand's bound; where the condition itself may differ, the distance of the two on top. */
  error(inputs, errors, outputs) {
    const [x, y] = [numbersAt(inputs, 1), numbersAt(inputs, 2)];
    return [
      choose(inputs, integers(numbersAt(outputs, 0).dims), (truth, i, xi, yi) => {
        const [ex, ey] = [boundAt(errors[1], xi), boundAt(errors[2], yi)];
        if (boundAt(errors[0], i) === 0) return truth !== 0 ? ex : ey;
        return Math.abs((x.data[xi] as number) - (y.data[yi] as number)) + Math.max(ex, ey);
      }),
    ];
  },
  traits: {
    elementwise: true,
    rational: ([c, x, y]) => (rational.sign(c as rational.Rational) !== 0 ? x : y) as rational.Rational,
  },
});

export const LOGIC: readonly OpDef[] = [
  defineLogic("And", (a, b) => a !== 0 && b !== 0),
  defineLogic("Or", (a, b) => a !== 0 || b !== 0),
  defineLogic("Xor", (a, b) => (a !== 0) !== (b !== 0)),
  defineComparison("Equal", 7, (a, b) => a === b),
  defineComparison("Less", 7, (a, b) => a < b),
  defineComparison("LessOrEqual", 12, (a, b) => a <= b),
  defineComparison("Greater", 7, (a, b) => a > b),
  defineComparison("GreaterOrEqual", 12, (a, b) => a >= b),
  erased(where),
];
