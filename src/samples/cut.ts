/** Cuts arrays that hold many samples into one record per sample: feeds for a model's inputs, and recorded values. */
import { type Issue, ModelError } from "../errors.ts";
import { type Feeds, type Model, Tensor, type ValueInfo } from "../index.ts";
import type { NpyArray } from "../io/npy.ts";
import { integerType, type TypedArray } from "../tensor/dtype.ts";
import { formatShape } from "../tensor/shape.ts";

/** Cuts arrays into samples: an array with the input's shape but for a static leading dimension is that many samples; a symbolic
 *  leading dimension makes one batch. throws ModelError listing every missing input, type and shape at once. */
export function samplesOf(model: Model, arrays: ReadonlyMap<string, NpyArray>): Feeds[] {
  const issues: Issue[] = [];
  const counts = new Map<string, number>();
  for (const input of model.inputs) {
    const array = arrays.get(input.name);
    const issue = array
      ? mismatch(input, array)
      : `input '${input.name}': found nothing of that name (members: ${[...arrays.keys()].join(", ")}). Name the member as the tensor, verbatim.`;
    if (issue) issues.push({ code: array ? "cli/input" : "cli/missing-input", message: issue, tensor: input.name });
    else if (array) counts.set(input.name, sampleCount(input, array));
  }
  const count = counts.values().next().value ?? 1;
  if (new Set(counts.values()).size > 1) {
    const found = [...counts].map(([name, n]) => `'${name}' ${n}`).join(", ");
    issues.push({
      code: "cli/sample-count",
      message: `inputs: found different numbers of samples (${found}), expected the same for every input.`,
    });
  }
  if (issues.length > 0) throw new ModelError(issues);
  return Array.from({ length: count }, (_, i) => {
    const feeds: Record<string, Tensor> = {};
    for (const input of model.inputs) {
      const array = arrays.get(input.name);
      if (array) feeds[input.name] = toTensor(input, cutSample(array, i, count));
    }
    return feeds;
  });
}

/** How many samples `array` holds for `input`; checked by mismatch(). */
function sampleCount({ shape }: ValueInfo, { dims }: NpyArray): number {
  const lead = shape[0];
  return typeof lead === "number" && lead > 0 ? (dims[0] as number) / lead : 1;
}

/** Why `array` cannot feed `input`; null when it can. */
function mismatch(input: ValueInfo, array: NpyArray): string | null {
  const { name, shape, encoding } = input;
  const codes = encoding ? containerOf(encoding.type) : null;
  if (array.type !== input.type && array.type !== codes) {
    const cast = array.type === "float64" && input.type === "float32" ? " Convert it with .astype(numpy.float32)." : "";
    return `input '${name}': found ${array.type}, expected ${input.type}${codes ? ` or codes (${codes})` : ""}.${cast}`;
  }
  const fits =
    array.dims.length === shape.length &&
    shape.every((dim, i) => {
      const found = array.dims[i] as number;
      if (typeof dim === "string") return true;
      return i === 0 ? (dim > 0 ? found > 0 && found % dim === 0 : found === dim) : found === dim;
    });
  return fits
    ? null
    : `input '${name}': found shape ${formatShape(array.dims)}, expected ${formatShape(shape)}, or a multiple of its leading dimension.`;
}

/** The npy element type that carries codes of a grid: one element per byte below 8 bits. */
function containerOf(type: ValueInfo["type"]): ValueInfo["type"] {
  const integer = integerType(type);
  if (!integer || integer.bits >= 8) return type;
  return integer.signed ? "int8" : "uint8";
}

function toTensor(input: ValueInfo, array: NpyArray): Tensor {
  const codes = input.encoding && array.type !== input.type;
  return codes ? new Tensor(input.encoding.type, array.data, array.dims, input.encoding) : new Tensor(array.type, array.data, array.dims);
}

/** Slice `index` of `count` along the leading dimension. */
export function cutSample(array: NpyArray, index: number, count: number): NpyArray {
  if (count === 1) return array;
  const step = array.data.length / count;
  const data = array.data.slice(index * step, (index + 1) * step) as TypedArray;
  return { ...array, data, dims: [(array.dims[0] as number) / count, ...array.dims.slice(1)] };
}

/** One record per sample: members are cut along their leading dimension; one that does not divide into `samples`
 *  (a constant operand, recorded once) is part of every record whole. */
export function recordedSamples(arrays: ReadonlyMap<string, NpyArray>, samples: number): Record<string, Tensor>[] {
  return Array.from({ length: samples }, (_, i) => {
    const record: Record<string, Tensor> = Object.create(null);
    for (const [name, array] of arrays) {
      const divides = array.dims.length > 0 && (array.dims[0] as number) % samples === 0;
      const { type, data, dims } = divides ? cutSample(array, i, samples) : array;
      record[name] = new Tensor(type, data, dims);
    }
    return record;
  });
}
