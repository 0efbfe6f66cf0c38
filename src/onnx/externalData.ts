/** Tensor data outside the model file: the fixed list of keys, path rules, offset and length checks. */

import { type Issue, modelError } from "../errors.ts";
import { pathFlaw } from "./externalPath.ts";

export type ExternalData = (location: string) => Uint8Array | undefined;

export interface ExternalEntry {
  readonly location: string;
  readonly offset: number;
  readonly length: number | null; // null: to the end of the file
}

const KEYS = new Set(["location", "offset", "length", "checksum", "basepath"]);

/** Reads the key/value list of one tensor. Unknown keys are reported through `warn` and ignored.
 *  throws ModelError "onnx/external-data", "onnx/external-path". */
export function externalEntry(
  tensor: string,
  entries: readonly { readonly key: string; readonly value: string }[],
  warn: (issue: Issue) => void,
): ExternalEntry {
  const map = new Map<string, string>();
  for (const { key, value } of entries) {
    if (map.has(key))
      throw modelError("onnx/external-data", `tensor '${tensor}': external data key '${key}' is given twice, expected once.`, { tensor });
    if (!KEYS.has(key)) {
      warn({
        code: "onnx/external-key",
        message: `tensor '${tensor}': external data key '${key}' is not one of ${[...KEYS].join(", ")}; it is ignored.`,
        tensor,
      });
    }
    map.set(key, value);
  }
  const location = map.get("location");
  if (!location)
    throw modelError("onnx/external-data", `tensor '${tensor}': external data without a location. Export the model again.`, { tensor });
  const flaw = pathFlaw(location);
  if (flaw) {
    throw modelError(
      "onnx/external-path",
      `tensor '${tensor}': external data location '${location}' ${flaw}, expected a path inside the model's folder.`,
      { tensor },
    );
  }
  return { location, offset: byteCount(tensor, "offset", map.get("offset")) ?? 0, length: byteCount(tensor, "length", map.get("length")) };
}

/** The bytes of one tensor inside its external file. `needed`: bytes its type and shape take.
 *  throws ModelError "onnx/external-missing", "onnx/external-range", "onnx/data-length". */
export function externalBytes(tensor: string, entry: ExternalEntry, needed: number, read: ExternalData | undefined): Uint8Array {
  const file = read?.(entry.location);
  if (!file) {
    throw modelError(
      "onnx/external-missing",
      `tensor '${tensor}': its data are in '${entry.location}', which was not given. Pass that file as external data.`,
      { tensor },
    );
  }
  if (entry.offset > file.length || (entry.length !== null && entry.length > file.length - entry.offset)) {
    throw modelError(
      "onnx/external-range",
      `tensor '${tensor}': bytes ${entry.offset} + ${entry.length ?? 0} lie outside '${entry.location}', which has ${file.length}. The data file does not belong to this model.`,
      { tensor },
    );
  }
  const length = entry.length ?? file.length - entry.offset;
  if (length !== needed) {
    throw modelError(
      "onnx/data-length",
      `tensor '${tensor}': ${length} bytes of external data, expected ${needed} for its type and shape.`,
      { tensor },
    );
  }
  return file.subarray(entry.offset, entry.offset + length);
}

function byteCount(tensor: string, key: string, text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw modelError(
      "onnx/external-data",
      `tensor '${tensor}': external data ${key} '${text.slice(0, 40)}', expected a byte count below 2^53.`,
      { tensor },
    );
  }
  return value;
}
