/** ReverseSequence and Hardmax: operators along one axis. Source: ReverseSequence-10, Hardmax-1/11/13. */

import { sizeOf } from "../tensor/shape.ts";
import { zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { int, readAttrs } from "./attributes.ts";
import { boundAt } from "./bounds.ts";
import { numbersAt, required, requireFloat, requireInteger, requireRank, requireVector, resolveAxis, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";
import { eachLine } from "./search.ts";

interface ReverseAttrs {
  readonly batch_axis: number;
  readonly time_axis: number;
}

/** throws ModelError "op/shape" for a length beyond the steps there are. */
function checkLengths(lengths: ArrayLike<number>, steps: number): void {
  const wrong = Array.from(lengths).find((length) => !(length >= 1 && length <= steps));
  if (wrong !== undefined) throw shapeError(`a sequence length is ${wrong}, expected 1 to ${steps}`);
}

/** The first `length` steps of each batch entry in reverse, the rest as it is. */
function reverseSequences(x: Numbers, lengths: Numbers, { batch_axis, time_axis }: ReverseAttrs, out: Numbers): Numbers {
  const [batch, steps] = [x.dims[batch_axis] as number, x.dims[time_axis] as number];
  checkLengths(lengths.data, steps);
  const [batchStride, timeStride] = [sizeOf(x.dims.slice(batch_axis + 1)), sizeOf(x.dims.slice(time_axis + 1))];
  for (let i = 0; i < out.data.length; i++) {
    const length = lengths.data[Math.floor(i / batchStride) % batch] as number;
    const t = Math.floor(i / timeStride) % steps;
    out.data[i] = x.data[t < length ? i + (length - 1 - 2 * t) * timeStride : i] as number;
  }
  return out;
}

const reverseSequence = defineOp<ReverseAttrs>({
  type: "ReverseSequence",
  since: 10,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { batch_axis: int(1), time_axis: int(0) }),
  infer(inputs, { batch_axis, time_axis }) {
    const [x, lengths] = [required(inputs, 0), required(inputs, 1)];
    requireRank(x, 0, 2, Infinity);
    requireInteger(lengths, 1);
    if (![0, 1].includes(batch_axis) || time_axis !== 1 - batch_axis)
      throw shapeError(`batch axis ${batch_axis} and time axis ${time_axis}, expected 0 and 1 in either order`);
    requireVector(lengths, 1, x.dims[batch_axis] as number);
    checkLengths(lengths.constant ?? [], x.dims[time_axis] as number);
    return [{ type: x.type, dims: x.dims }];
  },
  float: (inputs, attrs, precision) => [
    reverseSequences(
      numbersAt(inputs, 0),
      numbersAt(inputs, 1),
      attrs,
      zerosLike(numbersAt(inputs, 0), numbersAt(inputs, 0).dims, precision),
    ),
  ],
  error: (inputs, errors, outputs, attrs) => {
    const bounds = integers(numbersAt(outputs, 0).dims);
    return [errors[0] ? reverseSequences(errors[0], numbersAt(inputs, 1), attrs, bounds) : bounds];
  },
  traits: { passesEncoding: true },
});

interface HardmaxAttrs {
  readonly axis: number;
  readonly flatten: boolean; // opset below 13: all axes from `axis` on are one line
}

/** 1 at the first largest element of each line, else 0. */
function hardmaxOf(
  x: Numbers,
  { axis, flatten }: HardmaxAttrs,
  visit: (best: number, start: number, step: number, size: number) => void,
): void {
  const at = flatten && axis === x.dims.length ? axis : resolveAxis(axis, x.dims.length);
  const view = flatten ? [sizeOf(x.dims.slice(0, at)), sizeOf(x.dims.slice(at))] : x.dims;
  const along = flatten ? 1 : at;
  const size = view[along] as number;
  eachLine(view, along, (_line, start, step) => {
    let best = 0;
    for (let j = 1; j < size; j++) if ((x.data[start + j * step] as number) > (x.data[start + best * step] as number)) best = j;
    visit(best, start, step, size);
  });
}

const hardmax = defineOp<HardmaxAttrs>({
  type: "Hardmax",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: (attrs, opset) => ({ axis: readAttrs(attrs, { axis: int(opset < 13 ? 1 : -1) }).axis, flatten: opset < 13 }),
  infer(inputs, { axis }) {
    const x = required(inputs, 0);
    requireFloat(x);
    resolveAxis(axis, x.dims.length);
    return [{ type: x.type, dims: x.dims }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const out = zerosLike(x, x.dims, precision);
    hardmaxOf(x, attrs, (best, start, step, size) => {
      if (size > 0) out.data[start + best * step] = 1;
    });
    return [out];
  },
  /** Another element may win when its interval meets the winner's: both may then be 0 or 1. */
  error(inputs, errors, _outputs, attrs) {
    const x = numbersAt(inputs, 0);
    const out = integers(x.dims);
    hardmaxOf(x, attrs, (best, start, step, size) => {
      const lowest = (x.data[start + best * step] as number) - boundAt(errors[0], start + best * step);
      for (let j = 0; j < size; j++) {
        const at = start + j * step;
        if (j === best || (x.data[at] as number) + boundAt(errors[0], at) < lowest || !errors[0]) continue;
        out.data[at] = 1;
        out.data[start + best * step] = 1;
      }
    });
    return [out];
  },
  traits: {},
});

export const LINES: readonly OpDef[] = [erased(reverseSequence), erased(hardmax)];
