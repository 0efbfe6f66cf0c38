/** Entries of encodings files 0.4 to 1.0.0, where `offset` = −zeroPoint on the unsigned grid [0, 2^bits − 1]. */
import * as v from "valibot";
import type { ElementType } from "../tensor/dtype.ts";
import { complain, type EncodingEntry, type Granularity, type Report, readScales, readZeroPoints, type Section } from "./aimetEntry.ts";
import { parseWith } from "./aimetSchema.ts";

const BIT_WIDTHS = [2, 4, 8, 16, 32];

const flag = v.union([
  v.boolean(),
  v.pipe(
    v.picklist(["True", "False", "true", "false"]),
    v.transform((text) => text.toLowerCase() === "true"),
  ),
]);
const dtype = v.pipe(
  v.string(),
  v.transform((text) => text.toLowerCase()),
  v.picklist(["int", "float"]),
);
const bits = v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(32));
const numbers = v.array(v.number());

const listItem = v.object({
  bitwidth: bits,
  dtype: v.optional(dtype, "int"),
  is_symmetric: v.optional(flag),
  min: v.optional(v.number()),
  max: v.optional(v.number()),
  scale: v.optional(v.number()),
  offset: v.optional(v.number()),
  vector_dim: v.optional(v.unknown()),
});
type ListItem = v.InferOutput<typeof listItem>;

const record = v.object({
  enc_type: v.string(),
  dtype,
  bw: bits,
  is_sym: v.optional(flag),
  scale: v.optional(numbers),
  offset: v.optional(numbers),
  block_size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  compressed_bw: v.optional(bits),
  per_block_int_scale: v.optional(numbers),
  zero_point_shift: v.optional(v.nullable(v.number())),
});
type RecordItem = v.InferOutput<typeof record>;

/** One tensor of a 0.x file: a list with one item per channel or block. */
export function readListEntry(report: Report, tensor: string, json: unknown, section: Section): EncodingEntry | undefined {
  const items = parseWith(report, tensor, v.pipe(v.array(listItem), v.minLength(1)), Array.isArray(json) ? json : [json]);
  const first = items?.[0];
  if (!items || !first) return undefined;
  if (items.some((item) => item.dtype !== first.dtype || item.bitwidth !== first.bitwidth || item.is_symmetric !== first.is_symmetric)) {
    return complain(report, "entry", tensor, "its channels differ in dtype, bit width or symmetry, expected one grid.");
  }
  if (first.vector_dim !== undefined) return complain(report, "unsupported", tensor, "vector quantization, expected an affine grid.");
  if (first.dtype === "float") return floatEntry(report, tensor, first.bitwidth, section);
  const affine = items.map((item, channel) => readAffine(report, tensor, item, channel));
  if (affine.includes(undefined)) return undefined;
  const known = affine as { scale: number; offset: number }[];
  const granularity: Granularity = known.length === 1 ? { kind: "tensor" } : { kind: "channel", axis: null };
  return intEntry(report, tensor, {
    bitWidth: first.bitwidth,
    symmetric: first.is_symmetric ?? false,
    section,
    granularity,
    scales: known.map((item) => item.scale),
    offsets: known.map((item) => item.offset),
  });
}

/** scale and offset of one item, checked against min and max where the item has them: min = scale · offset. Some old writers
 *  give the offset a positive sign; min tells. An item with only min and max gets scale = (max − min)/(2^bits − 1). */
function readAffine(report: Report, tensor: string, item: ListItem, channel: number): { scale: number; offset: number } | undefined {
  const { min, max } = item;
  const steps = 2 ** item.bitwidth - 1;
  const scale = item.scale ?? (min !== undefined && max !== undefined ? (max - min) / steps : undefined);
  if (scale === undefined) return complain(report, "entry", tensor, `item ${channel} has no scale, expected scale and offset.`);
  const offset = item.offset ?? (min === undefined ? undefined : Math.round(min / scale));
  if (offset === undefined) return complain(report, "entry", tensor, `item ${channel} has no offset, expected scale and offset.`);
  if (min === undefined || !(scale > 0)) return { scale, offset };
  const tolerance = 0.51 * scale + 1e-5 * Math.abs(min);
  if (Math.abs(min - scale * offset) <= tolerance) return { scale, offset };
  if (offset > 0 && Math.abs(min + scale * offset) <= tolerance) {
    warn(report, "offset-sign", tensor, `offset ${offset} is written with a positive sign (min ${min}); read as ${-offset}.`);
    return { scale, offset: -offset };
  }
  return complain(
    report,
    "offset",
    tensor,
    `item ${channel}: min ${min} is not scale · offset = ${scale * offset}. Export the encodings again.`,
  );
}

/** One tensor of a 1.0.0 file. */
export function readRecordEntry(report: Report, tensor: string, json: unknown, section: Section): EncodingEntry | undefined {
  const item = parseWith(report, tensor, record, json);
  if (!item) return undefined;
  if (item.dtype === "float") return floatEntry(report, tensor, item.bw, section);
  if (item.zero_point_shift) {
    return complain(
      report,
      "half-zero-point",
      tensor,
      `zero_point_shift ${item.zero_point_shift} puts zero between two codes, expected an integer zero point. Export with an integer grid.`,
    );
  }
  const scales = item.scale ?? [];
  const granularity = recordGranularity(report, tensor, item, scales);
  if (!granularity) return undefined;
  const lpbq = granularity.kind === "lpbq";
  const bitWidth = lpbq ? (item.compressed_bw as number) : item.bw;
  const symmetric = item.is_sym ?? false;
  if (!item.offset && !symmetric) return complain(report, "entry", tensor, "asymmetric without offset, expected one offset per scale.");
  const offsets = item.offset && !lpbq ? item.offset : [-(2 ** (bitWidth - 1))];
  return intEntry(report, tensor, { bitWidth, symmetric, section, granularity, scales, offsets });
}

function recordGranularity(report: Report, tensor: string, item: RecordItem, scales: readonly number[]): Granularity | undefined {
  const { block_size: blockSize, compressed_bw: compressed, per_block_int_scale: ints } = item;
  if (scales.length === 0) return complain(report, "length", tensor, "no scale, expected at least one.");
  switch (item.enc_type) {
    case "PER_TENSOR":
      return scales.length === 1
        ? { kind: "tensor" }
        : complain(report, "length", tensor, `PER_TENSOR with ${scales.length} scales, expected 1.`);
    case "PER_CHANNEL":
      return scales.length === 1 ? { kind: "tensor" } : { kind: "channel", axis: null };
    case "PER_BLOCK":
      if (blockSize === undefined) return complain(report, "entry", tensor, "PER_BLOCK without block_size.");
      return { kind: "block", blockSize, blockAxis: null, scaleShape: null };
    case "LPBQ": {
      if (blockSize === undefined || compressed === undefined || !ints) {
        return complain(report, "entry", tensor, "LPBQ needs block_size, compressed_bw and per_block_int_scale.");
      }
      if (!item.is_sym) return complain(report, "unsupported", tensor, "asymmetric LPBQ, expected is_sym true.");
      return lpbqGranularity(report, tensor, { scales, ints, blockSize, largest: 2 ** (item.bw - compressed) });
    }
    default:
      return complain(report, "unsupported", tensor, `enc_type ${item.enc_type}, expected PER_TENSOR, PER_CHANNEL, PER_BLOCK or LPBQ.`);
  }
}

function lpbqGranularity(
  report: Report,
  tensor: string,
  { scales, ints, blockSize, largest }: { scales: readonly number[]; ints: readonly number[]; blockSize: number; largest: number },
): Granularity | undefined {
  const channelScale = readScales(report, tensor, scales);
  if (!channelScale) return undefined;
  if (ints.length === 0 || ints.length % scales.length !== 0) {
    return complain(report, "length", tensor, `${ints.length} block scales for ${scales.length} channels, expected a multiple.`);
  }
  const bad = ints.find((value) => !Number.isInteger(value) || value < 1 || value > largest);
  if (bad !== undefined) return complain(report, "scale", tensor, `per_block_int_scale ${bad}, expected an integer in [1, ${largest}].`);
  return { kind: "lpbq", blockSize, blockAxis: null, scaleShape: null, channelScale, blockInt: Uint16Array.from(ints) };
}

interface Affine {
  readonly bitWidth: number;
  readonly symmetric: boolean;
  readonly section: Section;
  readonly granularity: Granularity;
  readonly scales: readonly number[];
  readonly offsets: readonly number[];
}

function intEntry(report: Report, tensor: string, affine: Affine): EncodingEntry | undefined {
  const { bitWidth, symmetric, offsets } = affine;
  if (!BIT_WIDTHS.includes(bitWidth)) {
    return complain(
      report,
      "bit-width",
      tensor,
      `${bitWidth} bits, expected one of ${BIT_WIDTHS.join(", ")}. Calibrate with one of these widths.`,
    );
  }
  const scale = readScales(report, tensor, affine.scales);
  if (!scale) return undefined;
  const half = 2 ** (bitWidth - 1);
  const unsigned = !symmetric || offsets.every((offset) => offset === 0);
  if (bitWidth === 32 && unsigned)
    return complain(report, "bit-width", tensor, "asymmetric 32 bits, expected a symmetric grid for 32-bit biases.");
  const strict = symmetric && offsets.every((offset) => offset === 1 - half);
  if (strict)
    warn(report, "strict-symmetric", tensor, `strict symmetric: its code ${-half} is read as reachable, the simulation never uses it.`);
  const type = `${unsigned ? "u" : ""}int${bitWidth}` as ElementType;
  const shift = unsigned ? 0 : strict ? half - 1 : half;
  const zeroPoint = readZeroPoints(
    report,
    tensor,
    offsets.map((offset) => -offset - shift + 0),
    type,
    scale.length,
  );
  return zeroPoint && { kind: "int", section: affine.section, type, scale, zeroPoint, granularity: affine.granularity };
}

function floatEntry(report: Report, tensor: string, bitWidth: number, section: Section): EncodingEntry | undefined {
  if (bitWidth === 16 || bitWidth === 32) return { kind: "float", section, bits: bitWidth };
  return complain(report, "float", tensor, `float of ${bitWidth} bits, expected 16 or 32.`);
}

function warn(report: Report, code: string, tensor: string, message: string): void {
  report.warnings.push({ code: `encodings/${code}`, message: `encoding of '${tensor}': ${message}`, tensor });
}
