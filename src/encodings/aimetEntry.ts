/** What one entry of an encodings file says, before it meets a tensor; the same for all file versions. */
import type { Issue } from "../errors.ts";
import { type ElementType, integerType } from "../tensor/dtype.ts";

/** How scales spread over a tensor. Files up to 1.0.0 name no axes; 0.x lists do not even tell channels from blocks. */
export type Granularity =
  | { readonly kind: "tensor" }
  | { readonly kind: "channel"; readonly axis: number | null } // axis may be negative
  | {
      readonly kind: "block";
      readonly blockSize: number;
      readonly blockAxis: number | null;
      readonly scaleShape: readonly number[] | null; // of nested scales
    }
  | {
      readonly kind: "lpbq"; // scale = channelScale · blockInt
      readonly blockSize: number;
      readonly blockAxis: number | null;
      readonly scaleShape: readonly number[] | null; // of blockInt
      readonly channelScale: Float32Array; // (channels,)
      readonly blockInt: Uint16Array; // (channels × blocks,) in the file's order
    };

export type Section = "param" | "activation" | "both";

export interface IntEntry {
  readonly kind: "int";
  readonly section: Section;
  readonly type: ElementType;
  readonly scale: Float32Array; // in the file's order; lpbq: the channel scales
  readonly zeroPoint: Int32Array; // same length, on the grid of `type`
  readonly granularity: Granularity;
}

export interface FloatEntry {
  readonly kind: "float";
  readonly section: Section;
  readonly bits: 16 | 32;
}

export type EncodingEntry = IntEntry | FloatEntry;

export interface EncodingsFile {
  readonly version: string;
  readonly entries: ReadonlyMap<string, EncodingEntry>; // by tensor name
  readonly warnings: readonly Issue[];
}

/** Collects what is wrong with a file while it is read. */
export interface Report {
  readonly issues: Issue[];
  readonly warnings: Issue[];
}

export function complain(report: Report, code: string, tensor: string, message: string): undefined {
  report.issues.push({ code: `encodings/${code}`, message: `encoding of '${tensor}': ${message}`, tensor });
}

/** Float32 scales, or undefined after a complaint when one is not positive and finite as float32. */
export function readScales(report: Report, tensor: string, numbers: readonly number[]): Float32Array | undefined {
  const scale = Float32Array.from(numbers);
  const bad = scale.findIndex((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (bad < 0) return scale;
  return complain(
    report,
    "scale",
    tensor,
    `scale[${bad}] is ${numbers[bad]}, expected a positive finite float32. Calibrate this tensor again.`,
  );
}

/** Zero points on the grid of `type`, or undefined after a complaint. `numbers` has one element or `length`. */
export function readZeroPoints(
  report: Report,
  tensor: string,
  numbers: readonly number[],
  type: ElementType,
  length: number,
): Int32Array | undefined {
  if (numbers.length !== length && numbers.length !== 1) {
    return complain(
      report,
      "length",
      tensor,
      `${numbers.length} zero points or offsets for ${length} scales, expected as many. Export the encodings again.`,
    );
  }
  const { bits, signed } = integerType(type) as { bits: number; signed: boolean };
  const qmin = signed ? -(2 ** (bits - 1)) : 0;
  const qmax = qmin + 2 ** bits - 1;
  const bad = numbers.findIndex((value) => !(Number.isInteger(value) && value >= qmin && value <= qmax));
  if (bad < 0) return new Int32Array(length).map((_, i) => numbers[numbers.length === 1 ? 0 : i] as number);
  const value = numbers[bad] as number;
  if (Number.isInteger(value * 2) && !Number.isInteger(value)) {
    return complain(
      report,
      "half-zero-point",
      tensor,
      `zero point ${value} lies between two codes, expected an integer. Export with an integer grid.`,
    );
  }
  return complain(report, "zero-point", tensor, `zero point ${value}, expected an integer in [${qmin}, ${qmax}] of ${type}.`);
}

/** Same meaning, whatever the section. */
export function sameEntry(a: EncodingEntry, b: EncodingEntry): boolean {
  if (a.kind === "float" || b.kind === "float") return a.kind === "float" && b.kind === "float" && a.bits === b.bits;
  return (
    a.type === b.type &&
    sameNumbers(a.scale, b.scale) &&
    sameNumbers(a.zeroPoint, b.zeroPoint) &&
    sameGranularity(a.granularity, b.granularity)
  );
}

function sameGranularity(a: Granularity, b: Granularity): boolean {
  if (a.kind === "channel" && b.kind === "channel") return a.axis === b.axis;
  if (a.kind === "block" && b.kind === "block") return a.blockSize === b.blockSize && a.blockAxis === b.blockAxis;
  if (a.kind === "lpbq" && b.kind === "lpbq") {
    return (
      a.blockSize === b.blockSize &&
      a.blockAxis === b.blockAxis &&
      sameNumbers(a.channelScale, b.channelScale) &&
      sameNumbers(a.blockInt, b.blockInt)
    );
  }
  return a.kind === b.kind;
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, i) => value === b[i]);
}
