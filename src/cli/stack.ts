/** Stacks what each sample returned along the leading dimension, and saves it: the inverse of cutting samples. */
import { writeFileSync } from "node:fs";
import { Tensor } from "../index.ts";
import { writeNpz } from "../io/npz.ts";
import { newArray, type TypedArray } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";

/** One tensor per name: leading dimensions add up; a scalar per sample becomes a vector. Samples of different shapes
 *  (symbolic dimensions) are kept apart as `name#sample`. */
export function stackSamples(results: readonly Readonly<Record<string, Tensor>>[]): Record<string, Tensor> {
  const stacked: Record<string, Tensor> = Object.create(null);
  for (const [name, first] of Object.entries(results[0] ?? {})) {
    const parts = results.map((result) => result[name]).filter((part) => part !== undefined);
    if (parts.every((part) => sameShape(part.dims.slice(1), first.dims.slice(1)) && part.dims.length === first.dims.length)) {
      stacked[name] = concat(parts, first);
    } else
      parts.forEach((part, i) => {
        stacked[`${name}#${i}`] = part;
      });
  }
  return stacked;
}

function concat(parts: readonly Tensor[], first: Tensor): Tensor {
  if (parts.length === 1) return first;
  const arrays = parts.map((part) => part.data as TypedArray);
  const data = newArray(
    first.type,
    arrays.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const array of arrays) {
    (data as Float32Array).set(array as Float32Array, at);
    at += array.length;
  }
  const lead = first.dims.length === 0 ? parts.length : parts.reduce((sum, part) => sum + (part.dims[0] as number), 0);
  return new Tensor(first.type, data, [lead, ...first.dims.slice(1)], first.encoding);
}

/** Writes the tensors as an .npz whose members are named as the tensors are. */
export function saveTensors(file: string, tensors: Readonly<Record<string, Tensor>>): void {
  writeFileSync(
    file,
    writeNpz(new Map(Object.entries(tensors).map(([name, { type, dims, data }]) => [name, { type, dims, data: data as TypedArray }]))),
  );
}
