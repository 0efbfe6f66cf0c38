/** Checks of arguments of verification. */

import { refusal } from "../runtime/arguments.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Samples are a list; each is checked as the feeds it is. throws ModelError "option/samples". */
export function checkSamples(samples: readonly object[]): void {
  if (!Array.isArray(samples)) throw refusal("option/samples", "samples", samples, "a list of records of tensors by input name");
}

/** Recordings to compare with: records of tensors by name. throws ModelError "option/against". */
export function checkRecordings(recordings: readonly Readonly<Record<string, Tensor>>[]): void {
  for (const [i, record] of recordings.entries()) {
    const name = `against[${i}]`;
    if (typeof record !== "object" || record === null) throw refusal("option/against", name, record, "a record of tensors by name");
    for (const [tensor, fed] of Object.entries(record))
      if (!(fed instanceof Tensor)) throw refusal("option/against", `${name} '${tensor}'`, fed, "a Tensor");
  }
}
