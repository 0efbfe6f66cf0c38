/** MatMul and Gemm. Source: MatMul-1/9/13, Gemm-7/9/11/13. */
import { broadcastShapes, broadcastStrides, formatShape, sizeOf } from "../tensor/shape.ts";
import { broadcastData, integers, offsetsOf, roundOf, toDouble, zerosLike } from "./arrays.ts";
import { flag, float, noAttrs, readAttrs } from "./attributes.ts";
import { rounded } from "./bounds.ts";
import { checkDims, numbersAt, required, requireRank, requireSameTypes, shapeError } from "./checks.ts";
import { dotBound } from "./conv.ts";
import { defineOp, type MatmulGeometry, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { addRunsInto, type Runs } from "./products.ts";
import { erased } from "./registry.ts";

interface Product {
  readonly geometry: MatmulGeometry;
  readonly dims: number[];
}

function productOf(a: readonly number[], b: readonly number[]): Product {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [m = 0, k = 0] = left.slice(-2);
  const [kb = 0, n = 0] = right.slice(-2);
  if (k !== kb) throw shapeError(`shapes ${formatShape(a)} and ${formatShape(b)} do not multiply: the inner extents are ${k} and ${kb}`);
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (!batch) throw shapeError(`the leading axes of ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
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

/** c[m, n] += Σ_k a[m, k]·b[k, n], k ascending from 0. */
function multiply(a: Numbers, b: Numbers, geometry: MatmulGeometry, out: Numbers): Numbers {
  const { m, n, k, aOffsets, bOffsets, cOffsets, aStrides, bStrides } = geometry;
  const records = Int32Array.from(Array.from({ length: k }, (_, i) => [i * aStrides[1], 0, i * bStrides[0], n]).flat());
  const runs: Runs = { records, outStep: 1, xStep: bStrides[1] };
  const add = addRunsInto(out.data, b.data, a.data);
  for (const [batch, c] of cOffsets.entries()) {
    for (let row = 0; row < m; row++) add(c + row * n, bOffsets[batch] as number, (aOffsets[batch] as number) + row * aStrides[0], runs);
  }
  return out;
}

function matmulFloat(inputs: readonly (Numbers | null)[], precision: Precision): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const { geometry, dims } = productOf(a.dims, b.dims);
  return multiply(a, b, geometry, zerosLike(a, dims, precision));
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
  float: (inputs, _attrs, precision) => [matmulFloat(inputs, precision)],
  error(inputs, errors, _outputs, _attrs, unit) {
    const k = numbersAt(inputs, 0).dims.at(-1) as number;
    return [dotBound((a, b) => matmulFloat([a, b], "f64"), inputs.slice(0, 2), errors, k, unit)];
  },
  traits: {
    dot: {
      geometry: (a, b) => productOf(a.dims, b.dims).geometry,
      channelAxis: (b) => (b.length === 1 ? -1 : b.length - 1),
      blockAxis: (b) => Math.max(b.length - 2, 0),
    },
    macs: ([a], outputs) => sizeOf(outputs[0] ?? []) * ((a as TypeInfo).dims.at(-1) as number),
  },
});

interface GemmAttrs {
  readonly alpha: number;
  readonly beta: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

function gemmGeometry(a: readonly number[], b: readonly number[], attrs: GemmAttrs): MatmulGeometry {
  const [a0 = 0, a1 = 0] = a;
  const [b0 = 0, b1 = 0] = b;
  const [m, k] = attrs.transA ? [a1, a0] : [a0, a1];
  const [kb, n] = attrs.transB ? [b1, b0] : [b0, b1];
  if (k !== kb) throw shapeError(`shapes ${formatShape(a)} and ${formatShape(b)} do not multiply: the inner extents are ${k} and ${kb}`);
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

/** (alpha·acc) + (beta·c); factors of 1 are skipped, and so is an absent c. */
function gemmFloat(inputs: readonly (Numbers | null)[], attrs: GemmAttrs, precision: Precision): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const geometry = gemmGeometry(a.dims, b.dims, attrs);
  const out = multiply(a, b, geometry, zerosLike(a, [geometry.m, geometry.n], precision));
  const round = roundOf(a, precision);
  const c = inputs[2] ? broadcastData(inputs[2], out.dims) : null;
  for (let i = 0; i < out.data.length; i++) {
    const product = attrs.alpha === 1 ? (out.data[i] as number) : round(attrs.alpha * (out.data[i] as number));
    const term = c ? (attrs.beta === 1 ? (c[i] as number) : round(attrs.beta * (c[i] as number))) : 0;
    out.data[i] = c ? product + term : product;
  }
  return out;
}

function gemmError(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  output: Numbers,
  attrs: GemmAttrs,
  unit: number,
): Numbers {
  const plain: GemmAttrs = { ...attrs, alpha: 1, beta: 1 };
  const k = gemmGeometry(numbersAt(inputs, 0).dims, numbersAt(inputs, 1).dims, attrs).k;
  const acc = gemmFloat(
    inputs.slice(0, 2).map((x) => x && toDouble(x)),
    plain,
    "f64",
  );
  const bound = dotBound((a, b) => gemmFloat([a, b], plain, "f64"), inputs.slice(0, 2), errors, k, unit);
  const c = inputs[2] ? broadcastData(inputs[2], output.dims) : null;
  const ec = inputs[2] && errors[2] ? broadcastData(errors[2], output.dims) : null;
  return integers(
    output.dims,
    Float64Array.from(bound.data, (e, i) => {
      const product = rounded(attrs.alpha * (acc.data[i] as number), Math.abs(attrs.alpha) * e, unit);
      if (!c) return product;
      const term = rounded(attrs.beta * (c[i] as number), Math.abs(attrs.beta) * (ec ? (ec[i] as number) : 0), unit);
      return rounded(output.data[i] as number, product + term, unit);
    }),
  );
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
      if (all?.join() !== [m, n].join())
        throw shapeError(`input 2 has shape ${formatShape(c.dims)}, expected one that broadcasts to ${formatShape([m, n])}`);
    }
    return [{ type: a.type, dims: checkDims([m, n]) }];
  },
  float: (inputs, attrs, precision) => [gemmFloat(inputs, attrs, precision)],
  error: (inputs, errors, outputs, attrs, unit) => [gemmError(inputs, errors, numbersAt(outputs, 0), attrs, unit)],
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
