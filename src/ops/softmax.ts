/** Softmax and LogSoftmax. Below opset 13 the input is flattened to two dimensions at `axis`; since, `axis` alone is normalized. */

import { exp, log } from "../numerics/elementary.ts";
import { sizeOf } from "../tensor/shape.ts";
import { isSingle, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { int, readAttrs } from "./attributes.ts";
import { ELEMENTARY_UNITS, SLACK, underflow } from "./bounds.ts";
import { numbersAt, required, requireFloat, resolveAxis } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision } from "./op.ts";
import { erased } from "./registry.ts";

interface SoftmaxAttrs {
  readonly axis: number;
  readonly flatten: boolean;
}

/** Lines of `size` elements, `inner` apart: element j of line (o, i) lies at (o·size + j)·inner + i. */
interface Lines {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

function linesOf(dims: readonly number[], attrs: SoftmaxAttrs): Lines {
  const rank = Math.max(dims.length, 1);
  const axis = attrs.flatten && attrs.axis === rank ? rank : resolveAxis(attrs.axis, rank);
  const outer = sizeOf(dims.slice(0, axis));
  if (attrs.flatten) return { outer, size: sizeOf(dims.slice(axis)), inner: 1 };
  return { outer, size: dims[axis] ?? 1, inner: sizeOf(dims.slice(axis + 1)) };
}

function eachLine({ outer, size, inner }: Lines, visit: (start: number) => void): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * size * inner + i);
}

/** m = max x; e = exp(x − m); s = Σ e ascending; e / s, or (x − m) − log s. */
function evaluate(x: Numbers, attrs: SoftmaxAttrs, precision: Precision, logarithmic: boolean): Numbers {
  const lines = linesOf(x.dims, attrs);
  const out = zerosLike(x, x.dims, precision);
  const round = isSingle(x, precision) ? Math.fround : (v: number) => v;
  const data = out.data;
  eachLine(lines, (start) => {
    const end = start + lines.size * lines.inner;
    let largest = -Infinity;
    for (let i = start; i < end; i += lines.inner) largest = Math.max(largest, x.data[i] as number);
    let sum = 0;
    for (let i = start; i < end; i += lines.inner) {
      const shifted = round((x.data[i] as number) - largest);
      const e = round(exp(shifted));
      data[i] = logarithmic ? shifted : e;
      sum = round(sum + e);
    }
    const offset = logarithmic ? round(log(sum)) : 0;
    for (let i = start; i < end; i += lines.inner) data[i] = logarithmic ? (data[i] as number) - offset : (data[i] as number) / sum;
  });
  return out;
}

/** y_i = 1/Σ_j exp(x_j − x_i). An error of the inputs changes each term by a factor within exp(±(e_i + max e)); the subtraction x − m adds
 *  unit·|x − m| to an exponent, exp ELEMENTARY_UNITS units, the sum one unit per term, the division one. y ≤ 1 caps the bound.
 *  The logarithm turns the relative bound of the sum into an absolute one, and adds its own. */
function bound(
  x: Numbers,
  errors: Numbers | null | undefined,
  y: Numbers,
  attrs: SoftmaxAttrs,
  unit: number,
  logarithmic: boolean,
): Numbers {
  const lines = linesOf(x.dims, attrs);
  const out = integers(y.dims);
  eachLine(lines, (start) => {
    const end = start + lines.size * lines.inner;
    let largest = -Infinity;
    let worst = 0;
    for (let i = start; i < end; i += lines.inner) {
      largest = Math.max(largest, x.data[i] as number);
      worst = Math.max(worst, errors ? (errors.data[i] as number) : 0);
    }
    let shift = 0;
    for (let i = start; i < end; i += lines.inner) {
      const weight = logarithmic ? exp(y.data[i] as number) : (y.data[i] as number);
      shift += weight * unit * (largest - (x.data[i] as number) + 2 * worst);
    }
    for (let i = start; i < end; i += lines.inner) {
      const own = unit * (largest - (x.data[i] as number) + 2 * worst);
      const input = worst + (errors ? (errors.data[i] as number) : 0);
      const sumUnits = (ELEMENTARY_UNITS + lines.size) * unit;
      const relative = input + 2 * shift + own + sumUnits + (ELEMENTARY_UNITS + 2) * unit;
      const value = Math.abs(y.data[i] as number);
      const growth = relative < 1 ? relative * (1 + relative) : Infinity;
      const absolute = logarithmic
        ? growth + (ELEMENTARY_UNITS * Math.max(log(lines.size), unit) + value) * unit * (1 + unit)
        : Math.min(value * growth, 1);
      out.data[i] = absolute * SLACK + underflow(unit) * lines.size;
    }
  });
  return out;
}

function defineSoftmax(type: string, logarithmic: boolean): OpDef {
  return erased(
    defineOp<SoftmaxAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse(attrs, opset) {
        const flatten = opset < 13;
        return { axis: readAttrs(attrs, { axis: int(flatten ? 1 : -1) }).axis, flatten };
      },
      infer(inputs, attrs) {
        const x = required(inputs, 0);
        requireFloat(x);
        linesOf(x.dims, attrs);
        return [{ type: x.type, dims: x.dims }];
      },
      float: (inputs, attrs, precision) => [evaluate(numbersAt(inputs, 0), attrs, precision, logarithmic)],
      error: (inputs, errors, outputs, attrs, unit) => [
        bound(numbersAt(inputs, 0), errors[0], numbersAt(outputs, 0), attrs, unit, logarithmic),
      ],
      traits: logarithmic ? {} : { exponentialShares: linesOf },
    }),
  );
}

export const SOFTMAXES: readonly OpDef[] = [defineSoftmax("Softmax", false), defineSoftmax("LogSoftmax", true)];
