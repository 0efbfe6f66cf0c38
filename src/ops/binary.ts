/** Elementwise operators of several tensors from scalar functions, with numpy broadcasting. */
import type { Attrs } from "../graph/graph.ts";
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { broadcastOffsets, integers, type Round, roundOf, zerosLike } from "./arrays.ts";
import { boundAt } from "./bounds.ts";
import { broadcastAll, numbersAt, presentInputs, required, requireFloat, requireSameTypes } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type Traits } from "./op.ts";
import { wrapInteger } from "./types.ts";

/** y = f(a, b) with broadcasting. */
export interface BinarySpec<A> {
  readonly type: string;
  readonly since?: number;
  readonly parse: (attrs: Attrs, opset: number) => A;
  readonly accepts?: "float" | "any"; // default any
  readonly mixed?: boolean; // operand types may differ (Pow)
  readonly result?: ElementType; // default: the type of the first input
  readonly scalar: (a: number, b: number, attrs: A, round: Round) => number;
  /** The scalar function on integers, when it differs. Results of integer types narrower than 64 bits wrap. */
  readonly integer?: (a: number, b: number, attrs: A) => number;
  /** Bound of the result given bounds of the operands; y = f(a, b). */
  readonly bound?: (a: number, ea: number, b: number, eb: number, y: number, unit: number) => number;
  readonly traits?: Traits<A>;
}

/** The operator `spec` describes. */
export function defineBinary<A>(spec: BinarySpec<A>): OpDef<A> {
  const { bound } = spec;
  return defineOp<A>({
    type: spec.type,
    ...(spec.since === undefined ? {} : { since: spec.since }),
    arity: { inputs: [2, 2], outputs: [1, 1] },
    parse: spec.parse,
    infer(inputs) {
      const both = [required(inputs, 0), required(inputs, 1)];
      if (spec.accepts === "float") for (const [i, info] of both.entries()) requireFloat(info, i);
      if (!spec.mixed) requireSameTypes(both);
      return [{ type: spec.result ?? (both[0] as { type: ElementType }).type, dims: broadcastAll(both) }];
    },
    float: (inputs, attrs, precision, types) => [binaryFloat(spec, inputs, attrs, precision, types)],
    ...(bound
      ? {
          error: (inputs, errors, outputs, _attrs, unit) => [pairBounds(inputs, errors, numbersAt(outputs, 0), unit, bound)],
        }
      : {}),
    traits: { elementwise: true, ...spec.traits },
  });
}

function binaryFloat<A>(
  spec: BinarySpec<A>,
  inputs: readonly (Numbers | null)[],
  attrs: A,
  precision: Precision,
  types?: readonly (ElementType | null)[],
): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const dims = broadcastAll([a, b].map(({ dims }) => ({ type: "float32", dims })));
  const out = spec.result ? integers(dims) : zerosLike(a, dims, precision);
  const { integer } = spec;
  const round = roundOf(a, precision);
  const type = types?.[0] ?? null;
  const whole = integer && isInteger(a, precision, type) ? integer : (x: number, y: number) => spec.scalar(x, y, attrs, round);
  const wraps = type !== null && !isFloatType(type) && type !== "bool" && !spec.result;
  const scalar = (x: number, y: number): number => (wraps ? wrapInteger(whole(x, y, attrs), type) : whole(x, y, attrs));
  const aAt = broadcastOffsets(a.dims, dims);
  const bAt = broadcastOffsets(b.dims, dims);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = scalar(a.data[aAt ? (aAt[i] as number) : i] as number, b.data[bAt ? (bAt[i] as number) : i] as number);
  }
  return out;
}

/** Whether `x` holds integers, by its declared type or, without one, by the array kind at "f32". */
export function isInteger(x: Numbers, precision: Precision, type: ElementType | null | undefined): boolean {
  if (type) return !isFloatType(type) && type !== "bool";
  return precision === "f32" && x.data instanceof Float64Array;
}

function pairBounds(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  y: Numbers,
  unit: number,
  bound: (a: number, ea: number, b: number, eb: number, y: number, unit: number) => number,
): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const out = integers(y.dims);
  const aAt = broadcastOffsets(a.dims, y.dims);
  const bAt = broadcastOffsets(b.dims, y.dims);
  for (let i = 0; i < out.data.length; i++) {
    const ai = aAt ? (aAt[i] as number) : i;
    const bi = bAt ? (bAt[i] as number) : i;
    out.data[i] = bound(
      a.data[ai] as number,
      boundAt(errors[0], ai),
      b.data[bi] as number,
      boundAt(errors[1], bi),
      y.data[i] as number,
      unit,
    );
  }
  return out;
}

/** y = f(f(x0, x1), x2)… over any number of tensors (Sum, Min, Max, Mean). */
export interface FoldSpec {
  readonly type: string;
  readonly accepts?: "float" | "any";
  readonly scalar: (a: number, b: number, round: Round) => number;
  /** Applied once at the end, with the number of inputs. */
  readonly finish?: (x: number, count: number, round: Round) => number;
  /** Bound of one fold step. */
  readonly bound: (a: number, ea: number, b: number, eb: number, unit: number) => number;
  readonly finishBound?: (y: number, e: number, count: number, unit: number) => number;
  readonly traits?: Traits<object>;
}

/** The variadic operator `spec` describes. */
export function defineFold(spec: FoldSpec, parse: (attrs: Attrs) => object): OpDef<object> {
  return defineOp<object>({
    type: spec.type,
    since: 8,
    arity: { inputs: [1, Infinity], outputs: [1, 1] },
    parse,
    infer(inputs) {
      const all = presentInputs(inputs);
      if (spec.accepts === "float") for (const [i, info] of all.entries()) requireFloat(info, i);
      requireSameTypes(all);
      return [{ type: required(inputs, 0).type, dims: broadcastAll(all) }];
    },
    float(inputs, _attrs, precision) {
      const round = roundOf(numbersAt(inputs, 0), precision);
      const dims = broadcastAll(inputs.map((x) => ({ type: "float32", dims: (x as Numbers).dims })));
      const out = zerosLike(numbersAt(inputs, 0), dims, precision);
      for (const [k] of inputs.entries()) foldInto(out, numbersAt(inputs, k), k, (a, b) => spec.scalar(a, b, round));
      const { finish } = spec;
      if (finish)
        out.data.forEach((x, i) => {
          out.data[i] = finish(x, inputs.length, round);
        });
      return [out];
    },
    error: (inputs, errors, outputs, _attrs, unit) => [foldError(spec, inputs, errors, numbersAt(outputs, 0).dims, unit)],
    traits: { elementwise: true, ...spec.traits },
  });
}

function foldInto(out: Numbers, x: Numbers, index: number, scalar: (a: number, b: number) => number): void {
  const at = broadcastOffsets(x.dims, out.dims);
  for (let i = 0; i < out.data.length; i++) {
    const value = x.data[at ? (at[i] as number) : i] as number;
    out.data[i] = index === 0 ? value : scalar(out.data[i] as number, value);
  }
}

function foldError(
  spec: FoldSpec,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  dims: readonly number[],
  unit: number,
): Numbers {
  const size = sizeOf(dims);
  const value = new Float64Array(size);
  const bound = new Float64Array(size);
  for (const [k] of inputs.entries()) {
    const x = numbersAt(inputs, k);
    const at = broadcastOffsets(x.dims, dims);
    for (let i = 0; i < size; i++) {
      const j = at ? (at[i] as number) : i;
      const b = x.data[j] as number;
      const eb = boundAt(errors[k], j);
      const a = value[i] as number;
      bound[i] = k === 0 ? eb : spec.bound(a, bound[i] as number, b, eb, unit);
      value[i] = k === 0 ? b : spec.scalar(a, b, (x) => x);
    }
  }
  const { finishBound } = spec;
  if (finishBound)
    bound.forEach((e, i) => {
      bound[i] = finishBound(value[i] as number, e, inputs.length, unit);
    });
  return integers(dims, bound);
}
