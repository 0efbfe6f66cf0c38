/** ArgMax, ArgMin, TopK, CumSum: operators along one axis. */

import { sizeOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { flag, int, readAttrs } from "./attributes.ts";
import { boundAt, SLACK, underflow } from "./bounds.ts";
import { constantInts, numbersAt, required, requireInteger, resolveAxis, shapeError } from "./checks.ts";
import { constantScalar } from "./checksOther.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { gamma } from "./spreads.ts";

/** Calls `visit(line, start, step)` for every line of `dims` along `axis`, in row-major order of the other axes. */
export function eachLine(dims: readonly number[], axis: number, visit: (line: number, start: number, step: number) => void): void {
  const inner = sizeOf(dims.slice(axis + 1));
  const outer = sizeOf(dims.slice(0, axis));
  const size = dims[axis] as number;
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * inner + i, o * size * inner + i, inner);
}

interface ArgAttrs {
  readonly axis: number;
  readonly keepdims: boolean;
  readonly last: boolean;
}

function argDims(dims: readonly number[], { axis, keepdims }: ArgAttrs): number[] {
  const at = resolveAxis(axis, dims.length);
  return dims.flatMap((dim, i) => (i === at ? (keepdims ? [1] : []) : [dim]));
}

function defineArg(type: string, wins: (a: number, b: number) => boolean): OpDef {
  return erased(
    defineOp<ArgAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse(attrs, opset) {
        const { axis, keepdims, select_last_index } = readAttrs(attrs, {
          axis: int(0),
          keepdims: flag(true),
          select_last_index: opset >= 12 ? flag(false) : () => false,
        });
        return { axis, keepdims, last: select_last_index };
      },
      infer(inputs, attrs) {
        const { dims } = required(inputs, 0);
        if (dims[resolveAxis(attrs.axis, dims.length)] === 0) throw shapeError(`axis ${attrs.axis} has no elements`);
        return [{ type: "int64", dims: argDims(dims, attrs) }];
      },
      float(inputs, attrs) {
        const x = numbersAt(inputs, 0);
        const axis = resolveAxis(attrs.axis, x.dims.length);
        const out = integers(argDims(x.dims, attrs));
        eachLine(x.dims, axis, (line, start, step) => {
          let best = 0;
          for (let j = 1; j < (x.dims[axis] as number); j++) {
            const [value, held] = [x.data[start + j * step] as number, x.data[start + best * step] as number];
            if (wins(value, held) || (attrs.last && value === held)) best = j;
          }
          out.data[line] = best;
        });
        return [out];
      },
      traits: {},
    }),
  );
}

interface TopAttrs {
  readonly axis: number;
  readonly k: number | undefined; // undefined: an input
  readonly largest: boolean;
}

function topDims(dims: readonly number[], axis: number, k: number): number[] {
  const at = resolveAxis(axis, dims.length);
  if (!(k >= 0 && k <= (dims[at] as number))) throw shapeError(`k is ${k}, expected 0 to ${dims[at]} (axis ${axis})`);
  return dims.map((dim, i) => (i === at ? k : dim));
}

function countOf(inputs: readonly (TypeInfo | null)[], attrs: TopAttrs): number {
  if (attrs.k !== undefined) return attrs.k;
  requireInteger(required(inputs, 1), 1);
  return constantScalar(required(inputs, 1), 1);
}

/** Sign of the order of two numbers; NaN stands above all, equal ones are equal. */
function compared(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

/** The k first elements of each line in order, ties by the lower index; and their indices. */
function topElements(x: Numbers, attrs: TopAttrs, k: number, precision: Precision): Numbers[] {
  const axis = resolveAxis(attrs.axis, x.dims.length);
  const dims = topDims(x.dims, attrs.axis, k);
  const [values, indices] = [zerosLike(x, dims, precision), integers(dims)];
  const size = x.dims[axis] as number;
  const sign = attrs.largest ? -1 : 1;
  eachLine(x.dims, axis, (_line, start, step) => {
    const order = Array.from({ length: size }, (_, j) => j);
    order.sort((a, b) => sign * compared(x.data[start + a * step] as number, x.data[start + b * step] as number) || a - b);
    const to = Math.floor(start / (size * step)) * k * step + (start % step);
    for (let j = 0; j < k; j++) {
      values.data[to + j * step] = x.data[start + (order[j] as number) * step] as number;
      indices.data[to + j * step] = order[j] as number;
    }
  });
  return [values, indices];
}

const topK = defineOp<TopAttrs>({
  type: "TopK",
  arity: { inputs: [1, 2], outputs: [1, 2] },
  parse(attrs, opset) {
    if (opset < 10) return { ...readAttrs(attrs, { axis: int(-1), k: int() }), largest: true };
    if (opset < 11) return { ...readAttrs(attrs, { axis: int(-1) }), k: undefined, largest: true };
    const { axis, largest } = readAttrs(attrs, { axis: int(-1), largest: flag(true), sorted: flag(true) });
    return { axis, largest, k: undefined };
  },
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    const dims = topDims(x.dims, attrs.axis, countOf(inputs, attrs));
    return [
      { type: x.type, dims },
      { type: "int64", dims },
    ];
  },
  float(inputs, attrs, precision) {
    const k = attrs.k ?? (numbersAt(inputs, 1).data[0] as number);
    return topElements(numbersAt(inputs, 0), attrs, k, precision);
  },
  /** Order statistics move by at most the largest bound of their line. */
  error(inputs, errors, outputs, attrs) {
    const x = numbersAt(inputs, 0);
    const values = numbersAt(outputs, 0);
    const axis = resolveAxis(attrs.axis, x.dims.length);
    const [size, k] = [x.dims[axis] as number, values.dims[axis] as number];
    const out = integers(values.dims);
    eachLine(x.dims, axis, (_line, start, step) => {
      let worst = 0;
      for (let j = 0; j < size; j++) worst = Math.max(worst, boundAt(errors[0], start + j * step));
      const to = Math.floor(start / (size * step)) * k * step + (start % step);
      for (let j = 0; j < k; j++) out.data[to + j * step] = worst;
    });
    return [out, integers(values.dims)];
  },
  traits: { passesEncoding: true },
});

interface CumAttrs {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** Running sums in the direction of travel; exclusive ones leave the element itself out. */
function cumulate(x: Numbers, axis: number, attrs: CumAttrs, out: Numbers, add: (acc: number, x: number) => number): Numbers {
  const size = x.dims[axis] as number;
  eachLine(x.dims, axis, (_line, start, step) => {
    let acc = 0;
    for (let j = 0; j < size; j++) {
      const at = start + (attrs.reverse ? size - 1 - j : j) * step;
      const next = add(acc, x.data[at] as number);
      out.data[at] = attrs.exclusive ? acc : next;
      acc = next;
    }
  });
  return out;
}

const cumSum = defineOp<CumAttrs>({
  type: "CumSum",
  since: 11,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { exclusive: flag(false), reverse: flag(false) }),
  infer(inputs) {
    const x = required(inputs, 0);
    requireInteger(required(inputs, 1), 1);
    const axis = required(inputs, 1).constant ? constantInts(required(inputs, 1), 1) : [0];
    if (axis.length !== 1) throw shapeError(`input 1 has ${axis.length} elements, expected one axis`);
    resolveAxis(axis[0] as number, x.dims.length);
    return [{ type: x.type, dims: x.dims }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const round = roundOf(x, precision);
    const axis = resolveAxis(numbersAt(inputs, 1).data[0] as number, x.dims.length);
    return [cumulate(x, axis, attrs, zerosLike(x, x.dims, precision), (acc, value) => round(acc + value))];
  },
  error(inputs, errors, _outputs, attrs, unit) {
    const x = numbersAt(inputs, 0);
    const axis = resolveAxis(numbersAt(inputs, 1).data[0] as number, x.dims.length);
    const growth = gamma((x.dims[axis] as number) + 1, unit);
    const terms = integers(
      x.dims,
      Float64Array.from(x.data, (value, i) => {
        const e = boundAt(errors[0], i);
        return (e + growth * (Math.abs(value) + e)) * SLACK + underflow(unit);
      }),
    );
    return [cumulate(terms, axis, attrs, integers(x.dims), (acc, value) => (acc + value) * SLACK)];
  },
  traits: {},
});

export const SEARCHES: readonly OpDef[] = [
  defineArg("ArgMax", (a, b) => a > b),
  defineArg("ArgMin", (a, b) => a < b),
  erased(topK),
  erased(cumSum),
];
