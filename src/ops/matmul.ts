/** MatMul and Gemm. Source: MatMul-1/9/13, Gemm-7/9/11/13. */

import { broadcastShapes, broadcastStrides, sizeOf } from "../tensor/shape.ts";
import { offsetsOf } from "./arrays.ts";
import { flag, float, noAttrs, readAttrs } from "./attributes.ts";
import { checkDims, numbersAt, required, requireRank, requireSameTypes } from "./checks.ts";
import { floats } from "./deferred.ts";

import { defineOp, type MatmulGeometry, type OpDef, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

interface Product {
  readonly geometry: MatmulGeometry;
  readonly dims: number[];
}

export function productOf(a: readonly number[], b: readonly number[]): Product {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [m = 0, k = 0] = left.slice(-2);
  const [kb = 0, n = 0] = right.slice(-2);
  if (k !== kb) throw floats().innerFlaw(a, b, k, kb);
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (!batch) throw floats().leadingFlaw(a, b);
  const offsets = (dims: readonly number[], size: number): number[] =>
    Array.from(offsetsOf(batch, broadcastStrides(dims, batch)), (index) => index * size);
  const geometry: MatmulGeometry = {
    kind: "matmul",
    m,
    n,
    k,
    aOffsets: offsets(left.slice(0, -2), m * k),
    bOffsets: offsets(right.slice(0, -2), k * n),
    cOffsets: offsets(batch, m * n),
    aStrides: [k, 1],
    bStrides: [n, 1],
  };
  return { geometry, dims: [...batch, ...(a.length === 1 ? [] : [m]), ...(b.length === 1 ? [] : [n])] };
}

const matmul = defineOp<object>({
  type: "MatMul",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    const both = [required(inputs, 0), required(inputs, 1)] as const;
    requireSameTypes(both);
    for (const [i, info] of both.entries()) requireRank(info, i, 1, Infinity);
    return [{ type: both[0].type, dims: checkDims(productOf(both[0].dims, both[1].dims).dims) }];
  },
  float: (inputs, _attrs, precision) => [floats().matmulFloat(inputs, precision)],
  error: (inputs, errors, _outputs, _attrs, unit) => [floats().matmulError(inputs, errors, unit)],
  traits: {
    dot: {
      geometry: (a, b) => productOf(a.dims, b.dims).geometry,
      channelAxis: (b) => (b.length === 1 ? -1 : b.length - 1),
      blockAxis: (b) => Math.max(b.length - 2, 0),
    },
    macs: ([a], outputs) => sizeOf(outputs[0] ?? []) * ((a as TypeInfo).dims.at(-1) as number),
  },
});

export interface GemmAttrs {
  readonly alpha: number;
  readonly beta: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

export function gemmGeometry(a: readonly number[], b: readonly number[], attrs: GemmAttrs): MatmulGeometry {
  const [a0 = 0, a1 = 0] = a;
  const [b0 = 0, b1 = 0] = b;
  const [m, k] = attrs.transA ? [a1, a0] : [a0, a1];
  const [kb, n] = attrs.transB ? [b1, b0] : [b0, b1];
  if (k !== kb) throw floats().innerFlaw(a, b, k, kb);
  return {
    kind: "matmul",
    m,
    n,
    k,
    aOffsets: [0],
    bOffsets: [0],
    cOffsets: [0],
    aStrides: attrs.transA ? [1, a1] : [a1, 1],
    bStrides: attrs.transB ? [1, b1] : [b1, 1],
  };
}

const gemm = defineOp<GemmAttrs>({
  type: "Gemm",
  since: 7,
  arity: { inputs: [2, 3], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { alpha: float(1), beta: float(1), transA: flag(false), transB: flag(false) }),
  infer(inputs, attrs) {
    const a = required(inputs, 0);
    const b = required(inputs, 1);
    const c = inputs[2];
    requireSameTypes(inputs.filter((info): info is TypeInfo => info !== null));
    requireRank(a, 0, 2);
    requireRank(b, 1, 2);
    const { m, n } = gemmGeometry(a.dims, b.dims, attrs);
    if (c) {
      const all = broadcastShapes(c.dims, [m, n]);
      if (all?.join() !== [m, n].join()) throw floats().addendFlaw(c.dims, [m, n]);
    }
    return [{ type: a.type, dims: checkDims([m, n]) }];
  },
  float: (inputs, attrs, precision) => [floats().gemmFloat(inputs, attrs, precision)],
  error: (inputs, errors, outputs, attrs, unit) => [floats().gemmError(inputs, errors, numbersAt(outputs, 0), attrs, unit)],
  traits: {
    dot: {
      geometry: (a, b, _out, attrs) => gemmGeometry(a.dims, b.dims, attrs),
      bias: 2,
      scale: ({ alpha, beta }) => ({ product: alpha, bias: beta }),
      channelAxis: (_b, { transB }) => (transB ? 0 : 1),
      blockAxis: (_b, { transB }) => (transB ? 1 : 0),
    },
    macs(inputs, outputs, attrs) {
      const { k } = gemmGeometry(required(inputs, 0).dims, required(inputs, 1).dims, attrs);
      return sizeOf(outputs[0] ?? []) * k;
    },
  },
});

export const PRODUCTS: readonly OpDef[] = [erased(matmul), erased(gemm)];
