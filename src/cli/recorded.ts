/** Recorded values from a file: one record per sample. */
import { readFileSync } from "node:fs";
import type { Tensor } from "../index.ts";
import { readNpz } from "../io/npz.ts";
import { recordedSamples } from "../samples/cut.ts";

/** The records of `file`. throws ModelError on a malformed file. */
export function readRecorded(file: string, samples: number): Record<string, Tensor>[] {
  return recordedSamples(readNpz(new Uint8Array(readFileSync(file)), file), samples);
}
