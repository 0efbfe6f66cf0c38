/** ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare, ReduceLogSum, ReduceLogSumExp. */
import { exp, log } from "../numerics/elementary.ts";
import type { Round } from "./arrays.ts";
import { ELEMENTARY_UNITS, rounded } from "./bounds.ts";
import type { OpDef } from "./op.ts";
import { defineReduce, plus } from "./reduce.ts";
import { rootSpread } from "./spreads.ts";

const plusSquare = (acc: number, x: number, round: Round): number => round(acc + round(x * x));

const square = (x: number): number => x * x;

const squareBound = (x: number, e: number, unit: number): number => rounded(x * x, 2 * Math.abs(x) * e + e * e, unit);

/** Logarithm of an accumulator with bound e: log(acc) − log(acc − e) ≤ e / (acc − e). */
function logBound(acc: number, e: number, _count: number, unit: number): number {
  return rounded(log(acc), acc > e ? e / (acc - e) : Infinity, unit, ELEMENTARY_UNITS);
}

export const OTHER_REDUCTIONS: readonly OpDef[] = [
  defineReduce({ type: "ReduceProd", axesInput: 18, start: 1, step: (acc, x, round) => round(acc * x), kind: "product" }),
  defineReduce({
    type: "ReduceL1",
    axesInput: 18,
    start: 0,
    step: (acc, x, round) => round(acc + Math.abs(x)),
    kind: "sum",
    term: Math.abs,
  }),
  defineReduce({
    type: "ReduceL2",
    axesInput: 18,
    start: 0,
    step: plusSquare,
    kind: "sum",
    term: square,
    termBound: squareBound,
    finish: (acc, _count, round) => round(Math.sqrt(acc)),
    finishBound: (acc, e, _count, unit) => rounded(Math.sqrt(acc), rootSpread(acc, e), unit),
  }),
  defineReduce({ type: "ReduceSumSquare", axesInput: 18, start: 0, step: plusSquare, kind: "sum", term: square, termBound: squareBound }),
  defineReduce({
    type: "ReduceLogSum",
    axesInput: 18,
    start: 0,
    step: plus,
    kind: "sum",
    finish: (acc, _count, round) => round(log(acc)),
    finishBound: logBound,
  }),
  defineReduce({
    type: "ReduceLogSumExp",
    axesInput: 18,
    start: 0,
    step: (acc, x, round) => round(acc + round(exp(x))),
    kind: "sum",
    term: exp,
    termBound: (x, e, unit) => rounded(exp(x), exp(x + e) - exp(x), unit, ELEMENTARY_UNITS),
    finish: (acc, _count, round) => round(log(acc)),
    finishBound: logBound,
  }),
];
