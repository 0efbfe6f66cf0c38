/** NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss, as models that were exported with their training loss have them.
 *  Source: the function bodies of both at opset 12 and 13. */

import { exp, log } from "../numerics/elementary.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { floatZeros, roundOf, zerosLike } from "./arrayMath.ts";
import { integers, type Round } from "./arrays.ts";
import { oneOf, readAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import { numbersAt, required, requireFloat, requireInteger, requireRank, requireVector, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

interface LossAttrs {
  readonly reduction: "mean" | "none" | "sum";
  readonly ignored: number | undefined; // a class that counts nothing
}

/** [batch, classes, inner] of scores, the classes along axis 1. */
function geometryOf(dims: readonly number[]): readonly [batch: number, classes: number, inner: number] {
  return [dims[0] as number, dims[1] as number, sizeOf(dims.slice(2))];
}

/** −weight[class]·x[class] at every position, and the weight it had. */
function lossesOf(x: Numbers, target: Numbers, weight: Numbers | null | undefined, ignored: number | undefined) {
  const [batch, classes, inner] = geometryOf(x.dims);
  const losses = new Float64Array(batch * inner);
  const weights = new Float64Array(batch * inner);
  for (let i = 0; i < losses.length; i++) {
    const kind = target.data[i] as number;
    if (kind === ignored) continue;
    if (!(kind >= 0 && kind < classes)) throw shapeError(`class ${kind} is out of range for ${classes} classes`);
    const at = (Math.floor(i / inner) * classes + kind) * inner + (i % inner);
    weights[i] = weight ? (weight.data[kind] as number) : 1;
    losses[i] = -(x.data[at] as number) * (weights[i] as number);
  }
  return { losses, weights };
}

/** Every loss, their sum, or the sum divided by that of the weights. */
function reduced(x: Numbers, inputs: readonly (Numbers | null)[], { reduction, ignored }: LossAttrs, precision: Precision): Numbers {
  const target = numbersAt(inputs, 1);
  const { losses, weights } = lossesOf(x, target, inputs[2], ignored);
  const round = roundOf(x, precision);
  if (reduction === "none") {
    const out = zerosLike(x, target.dims, precision);
    out.data.set(losses);
    return out;
  }
  const sum = (list: Float64Array): number => list.reduce((acc, value) => round(acc + round(value)), 0);
  const out = x.data instanceof Float32Array ? floatZeros([], precision) : integers([]);
  out.data[0] = reduction === "sum" ? sum(losses) : sum(losses) / sum(weights);
  return out;
}

function inferLoss(inputs: readonly (TypeInfo | null)[], { reduction }: LossAttrs): { type: TypeInfo["type"]; dims: number[] } {
  const [x, target, weight] = [required(inputs, 0), required(inputs, 1), inputs[2]];
  requireFloat(x);
  requireInteger(target, 1);
  requireRank(x, 0, 2, Infinity);
  const expected = [x.dims[0] as number, ...x.dims.slice(2)];
  if (target.dims.join() !== expected.join())
    throw shapeError(`the classes have shape ${formatShape(target.dims)}, expected ${formatShape(expected)}`);
  if (weight) requireVector(weight, 2, x.dims[1] as number);
  return { type: x.type, dims: reduction === "none" ? expected : [] };
}

function parseLoss(attrs: Parameters<typeof readAttrs>[0]): LossAttrs {
  const { reduction, ignore_index } = readAttrs(attrs, { reduction: oneOf("mean", "none", "sum"), ignore_index: optionalInt() });
  return { reduction, ignored: ignore_index };
}

const negativeLogLikelihood = defineOp<LossAttrs>({
  type: "NegativeLogLikelihoodLoss",
  since: 12,
  arity: { inputs: [2, 3], outputs: [1, 1] },
  parse: parseLoss,
  infer: (inputs, attrs) => [inferLoss(inputs, attrs)],
  float: (inputs, attrs, precision) => [reduced(numbersAt(inputs, 0), inputs, attrs, precision)],
  traits: {},
});

/** log(softmax) over axis 1: (x − m) − log Σ exp(x − m). */
function logShares(x: Numbers, precision: Precision, round: Round): Numbers {
  const [batch, classes, inner] = geometryOf(x.dims);
  const out = zerosLike(x, x.dims, precision);
  for (let line = 0; line < batch * inner; line++) {
    const from = Math.floor(line / inner) * classes * inner + (line % inner);
    const at = (c: number): number => from + c * inner;
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, x.data[at(c)] as number);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum = round(sum + round(exp(round((x.data[at(c)] as number) - largest))));
    const logarithm = round(log(sum));
    for (let c = 0; c < classes; c++) out.data[at(c)] = round(round((x.data[at(c)] as number) - largest) - logarithm);
  }
  return out;
}

const softmaxCrossEntropy = defineOp<LossAttrs>({
  type: "SoftmaxCrossEntropyLoss",
  since: 12,
  arity: { inputs: [2, 3], outputs: [1, 2] },
  parse: parseLoss,
  infer(inputs, attrs) {
    const { type, dims } = required(inputs, 0);
    return [inferLoss(inputs, attrs), { type, dims: [...dims] }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const shares = logShares(x, precision, roundOf(x, precision));
    return [reduced(shares, inputs, attrs, precision), shares];
  },
  traits: {},
});

export const LOSSES: readonly OpDef[] = [erased(negativeLogLikelihood), erased(softmaxCrossEntropy)];
