/** Recorded values: an .npz of codes or dequantized values, one record per sample. */
import { readFileSync } from "node:fs";
import { Tensor } from "../index.ts";
import type { NpyArray } from "../io/npy.ts";
import { readNpz } from "../io/npz.ts";
import { cutSample } from "./samples.ts";

/** The records of `file`. throws ModelError on a malformed file. */
export function readRecorded(file: string, samples: number): Record<string, Tensor>[] {
  return recordedSamples(readNpz(new Uint8Array(readFileSync(file)), file), samples);
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
