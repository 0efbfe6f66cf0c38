/** MatMul and Gemm in plain loops, and their running errors. */
import { broadcastData, roundOf, toDouble, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { rounded } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import { dotBound } from "./convFloat.ts";
import { type GemmAttrs, gemmGeometry, productOf } from "./matmul.ts";
import type { MatmulGeometry, Numbers, Precision } from "./op.ts";
import { addRunsInto, type Runs } from "./products.ts";

/** c[m, n] += Σ_k a[m, k]·b[k, n], k ascending from 0. */
export function multiply(a: Numbers, b: Numbers, geometry: MatmulGeometry, out: Numbers): Numbers {
  const { m, n, k, aOffsets, bOffsets, cOffsets, aStrides, bStrides } = geometry;
  const records = Int32Array.from(Array.from({ length: k }, (_, i) => [i * aStrides[1], 0, i * bStrides[0], n]).flat());
  const runs: Runs = { records, outStep: 1, xStep: bStrides[1] };
  const add = addRunsInto(out.data, b.data, a.data);
  for (const [batch, c] of cOffsets.entries()) {
    for (let row = 0; row < m; row++) add(c + row * n, bOffsets[batch] as number, (aOffsets[batch] as number) + row * aStrides[0], runs);
  }
  return out;
}

export function matmulFloat(inputs: readonly (Numbers | null)[], precision: Precision): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const { geometry, dims } = productOf(a.dims, b.dims);
  return multiply(a, b, geometry, zerosLike(a, dims, precision));
}

/** (alpha·acc) + (beta·c); factors of 1 are skipped, and so is an absent c. */
export function gemmFloat(inputs: readonly (Numbers | null)[], attrs: GemmAttrs, precision: Precision): Numbers {
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

export function gemmError(
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

export function matmulError(inputs: readonly (Numbers | null)[], errors: readonly (Numbers | null)[], unit: number): Numbers {
  const k = numbersAt(inputs, 0).dims.at(-1) as number;
  return dotBound((a, b) => matmulFloat([a, b], "f64"), inputs.slice(0, 2), errors, k, unit);
}
