/** BatchNormalization in inference: per-channel statistics and affine map on axis 1. Source: BatchNormalization-7/9/14/15. */

import { sizeOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { attributeError, flag, float, readAttrs } from "./attributes.ts";
import { boundAt, productSpread, rounded } from "./bounds.ts";
import { numbersAt, required, requireFloat, requireRank, requireVector } from "./checks.ts";
import { defineOp, type Numbers, type Precision } from "./op.ts";
import { erased } from "./registry.ts";
import { quotientSpread, rootSpread } from "./spreads.ts";

interface BatchAttrs {
  readonly epsilon: number;
}

/** Channel of element i: axis 1 of dims. */
function channelOf(dims: readonly number[]): (i: number) => number {
  const channels = dims[1] ?? 1;
  const plane = sizeOf(dims.slice(2));
  return (i) => Math.floor(i / plane) % channels;
}

/** ((x − mean) / sqrt(var + epsilon))·scale + bias. */
function batchNormalize(inputs: readonly (Numbers | null)[], { epsilon }: BatchAttrs, precision: Precision): Numbers {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => numbersAt(inputs, i)) as [
    Numbers,
    Numbers,
    Numbers,
    Numbers,
    Numbers,
  ];
  const out = zerosLike(x, x.dims, precision);
  const round = roundOf(x, precision);
  const channel = channelOf(x.dims);
  for (let i = 0; i < out.data.length; i++) {
    const c = channel(i);
    const deviation = round(Math.sqrt(round((variance.data[c] as number) + epsilon)));
    const y = round(round((x.data[i] as number) - (mean.data[c] as number)) / deviation);
    out.data[i] = round(y * (scale.data[c] as number)) + (bias.data[c] as number);
  }
  return out;
}

function batchBound(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  output: Numbers,
  { epsilon }: BatchAttrs,
  unit: number,
): Numbers {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => numbersAt(inputs, i)) as [
    Numbers,
    Numbers,
    Numbers,
    Numbers,
    Numbers,
  ];
  const out = integers(output.dims);
  const channel = channelOf(x.dims);
  for (let i = 0; i < out.data.length; i++) {
    const c = channel(i);
    const sum = (variance.data[c] as number) + epsilon;
    const deviation = Math.sqrt(sum);
    const eDeviation = rounded(deviation, rootSpread(sum, rounded(sum, boundAt(errors[4], c), unit)), unit);
    const d = (x.data[i] as number) - (mean.data[c] as number);
    const ed = rounded(d, boundAt(errors[0], i) + boundAt(errors[3], c), unit);
    const y = d / deviation;
    const ey = rounded(y, quotientSpread(d, ed, deviation, eDeviation), unit);
    const g = scale.data[c] as number;
    const scaled = rounded(y * g, productSpread(y, ey, g, boundAt(errors[1], c)), unit);
    out.data[i] = rounded(y * g + (bias.data[c] as number), scaled + boundAt(errors[2], c), unit);
  }
  return out;
}

export const batchNormalization = erased(
  defineOp<BatchAttrs>({
    type: "BatchNormalization",
    since: 7,
    arity: { inputs: [5, 5], outputs: [1, 1] },
    parse(attrs, opset) {
      const schema = { epsilon: float(1e-5), momentum: float(0.9) };
      if (opset < 9) {
        const { epsilon, spatial } = readAttrs(attrs, { ...schema, spatial: flag(true) });
        if (!spatial) throw attributeError("spatial", "found 0, expected 1");
        return { epsilon };
      }
      const { epsilon, training_mode } = readAttrs(
        attrs,
        opset >= 14 ? { ...schema, training_mode: flag(false) } : { ...schema, training_mode: () => false },
      );
      if (training_mode) throw attributeError("training_mode", "found 1, expected 0 (inference)");
      return { epsilon };
    },
    infer(inputs) {
      const x = required(inputs, 0);
      requireFloat(x);
      requireRank(x, 0, 1, Infinity);
      for (const i of [1, 2, 3, 4]) requireVector(required(inputs, i), i, x.dims[1] ?? 1);
      return [{ type: x.type, dims: x.dims }];
    },
    float: (inputs, attrs, precision) => [batchNormalize(inputs, attrs, precision)],
    error: (inputs, errors, outputs, attrs, unit) => [batchBound(inputs, errors, numbersAt(outputs, 0), attrs, unit)],
    traits: {
      channelAffine(constants, { epsilon }) {
        const [gain, bias, mean, variance] = constants.slice(1, 5).map((info) => info?.constant);
        if (!gain || !bias || !mean || !variance) return undefined;
        const scale = Float64Array.from(gain, (g, c) => g / Math.sqrt((variance[c] as number) + epsilon));
        return { scale, shift: Float64Array.from(bias, (b, c) => b - (mean[c] as number) * (scale[c] as number)) };
      },
    },
  }),
);
