/** What a run gave, in figures small enough to show. */
import { halfToFloat } from "../src/numerics/half.ts";
import type { OutputReport, PlainTensor } from "./protocol.ts";

const SHOWN = 8;
const TOP = 5;
const MOST_SCORES = 100_000;

/** Elements as numbers. */
export function numbersOf({ type, data }: PlainTensor): ArrayLike<number> {
  const elements = data as unknown as ArrayLike<number | bigint>;
  if (type === "float16") return Float32Array.from(elements as Uint16Array, halfToFloat);
  return type === "int64" || type === "uint64" ? Float64Array.from(elements as ArrayLike<bigint>, Number) : (elements as ArrayLike<number>);
}

export async function outputReport(name: string, tensor: PlainTensor): Promise<OutputReport> {
  const numbers = numbersOf(tensor);
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i]! < min) min = numbers[i]!;
    if (numbers[i]! > max) max = numbers[i]!;
  }
  const { type, dims } = tensor;
  return {
    name,
    type,
    dims,
    min,
    max,
    first: Array.from({ length: Math.min(SHOWN, numbers.length) }, (_, i) => numbers[i]!),
    top: topOf(numbers, dims),
    sha256: await digest(tensor),
  };
}

/** The largest elements where the output is one list of scores. */
function topOf(numbers: ArrayLike<number>, dims: readonly number[]): OutputReport["top"] {
  const scores =
    dims.length > 0 && dims.length <= 2 && dims.at(-1) === numbers.length && numbers.length > 1 && numbers.length <= MOST_SCORES;
  if (!scores) return [];
  return Array.from(numbers, (value, index) => ({ index, value }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, TOP);
}

async function digest({ data }: PlainTensor): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
