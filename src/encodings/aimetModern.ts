/** Entries of encodings files 2.x, which follow ONNX QuantizeLinear: zero points on the grid of output_dtype, explicit axes. */
import * as v from "valibot";
import type { ElementType } from "../tensor/dtype.ts";
import { complain, type EncodingEntry, type Granularity, type Report, readScales, readZeroPoints } from "./aimetEntry.ts";
import { flattenNested, parseWith } from "./aimetSchema.ts";

const INT_TYPES = ["int2", "uint2", "int4", "uint4", "int8", "uint8", "int16", "uint16", "int32"] as const;

const integer = v.pipe(v.number(), v.integer());
const blockSize = v.nullish(v.pipe(integer, v.minValue(0)));
const metaScale = v.object({
  x: v.unknown(),
  x_scale: v.unknown(),
  x_zero_point: v.optional(v.unknown()),
  input_dtype: v.optional(v.string()),
  axis: v.nullish(integer),
  block_size: blockSize,
});
const record = v.object({
  output_dtype: v.string(),
  y_scale: v.optional(v.unknown()),
  y_zero_point: v.optional(v.unknown()),
  axis: v.nullish(integer),
  block_size: blockSize,
  per_block_int_scale: v.optional(v.unknown()),
  per_channel_float_scale: v.optional(v.unknown()),
});
type RecordItem = v.InferOutput<typeof record>;

/** One tensor of a 2.x file. Parameters and activations share one list there. */
export function readModernEntry(report: Report, tensor: string, json: unknown): EncodingEntry | undefined {
  const item = parseWith(report, tensor, record, json);
  if (!item) return undefined;
  if (item.output_dtype.startsWith("float"))
    return complain(report, "float", tensor, `${item.output_dtype}, expected an integer type or no entry for float tensors.`);
  if (!(INT_TYPES as readonly string[]).includes(item.output_dtype)) {
    return complain(report, "bit-width", tensor, `output_dtype ${item.output_dtype}, expected one of ${INT_TYPES.join(", ")}.`);
  }
  const type = item.output_dtype as ElementType;
  const meta = item.y_scale !== null && typeof item.y_scale === "object" && !Array.isArray(item.y_scale);
  if (meta || item.per_block_int_scale !== undefined) return readProduct(report, tensor, item, type);
  const scales = flattenNested(item.y_scale);
  if (!scales || scales.data.length === 0)
    return complain(report, "entry", tensor, "y_scale is no number or regular nested list of numbers.");
  const granularity = granularityOf(report, tensor, item, scales);
  const scale = readScales(report, tensor, scales.data);
  if (!granularity || !scale) return undefined;
  const zeroPoint = readModernZeroPoints(report, tensor, item, type, scale.length);
  return zeroPoint && { kind: "int", section: "both", type, scale, zeroPoint, granularity };
}

function granularityOf(
  report: Report,
  tensor: string,
  item: RecordItem,
  { dims, data }: { readonly dims: readonly number[]; readonly data: readonly number[] },
): Granularity | undefined {
  const axis = item.axis ?? null;
  if (item.block_size) return { kind: "block", blockSize: item.block_size, blockAxis: axis, scaleShape: dims.length > 1 ? dims : null };
  if (data.length === 1) return { kind: "tensor" };
  if (axis === null) return complain(report, "entry", tensor, `${data.length} scales without axis.`);
  if (dims.filter((dim) => dim !== 1).length > 1)
    return complain(report, "entry", tensor, `scales of shape [${dims.join(", ")}] without block_size.`);
  return { kind: "channel", axis };
}

/** Scales that are a product of integers per block and a float per channel: LPBQ, in the 2.0.0 pair of fields or as the 2.1.0
 *  scale object {x, x_scale}. */
function readProduct(report: Report, tensor: string, item: RecordItem, type: ElementType): EncodingEntry | undefined {
  const pair = item.per_block_int_scale !== undefined;
  const meta = pair
    ? { x: item.per_block_int_scale, x_scale: item.per_channel_float_scale }
    : parseWith(report, tensor, metaScale, item.y_scale);
  if (!meta) return undefined;
  const inner = meta as v.InferOutput<typeof metaScale>;
  const ints = flattenNested(inner.x);
  const floats = flattenNested(inner.x_scale);
  if (!ints || !floats || floats.data.length === 0)
    return complain(report, "entry", tensor, "block scales and channel scales are no regular nested lists of numbers.");
  if (inner.input_dtype?.startsWith("float") || inner.block_size || !allZero(inner.x_zero_point)) {
    return complain(
      report,
      "unsupported",
      tensor,
      "scales that are themselves float, blocked or asymmetric, expected integers per block times a float per channel.",
    );
  }
  if (!item.block_size) return complain(report, "unsupported", tensor, "a product of scales without block_size, expected blocks.");
  const bad = ints.data.find((value) => !Number.isInteger(value) || value < 1 || value > 0xffff);
  if (bad !== undefined) return complain(report, "scale", tensor, `block scale ${bad}, expected an integer in [1, 65535].`);
  if (ints.data.length % floats.data.length !== 0) {
    return complain(report, "length", tensor, `${ints.data.length} block scales for ${floats.data.length} channels, expected a multiple.`);
  }
  const channelScale = readScales(report, tensor, floats.data);
  if (!channelScale) return undefined;
  const zeroPoint = readModernZeroPoints(report, tensor, item, type, ints.data.length);
  if (!zeroPoint) return undefined;
  if (zeroPoint.some((zero) => zero !== 0)) return complain(report, "unsupported", tensor, "asymmetric LPBQ, expected zero points of 0.");
  const granularity: Granularity = {
    kind: "lpbq",
    blockSize: item.block_size,
    blockAxis: item.axis ?? null,
    scaleShape: ints.dims.length > 1 ? ints.dims : null,
    channelScale,
    blockInt: Uint16Array.from(ints.data),
  };
  return { kind: "int", section: "both", type, scale: channelScale, zeroPoint: new Int32Array(channelScale.length), granularity };
}

function readModernZeroPoints(report: Report, tensor: string, item: RecordItem, type: ElementType, length: number): Int32Array | undefined {
  if (item.y_zero_point === undefined || item.y_zero_point === null) return new Int32Array(length);
  const zeros = flattenNested(item.y_zero_point);
  if (!zeros) return complain(report, "entry", tensor, "y_zero_point is no number or regular nested list of numbers.");
  return readZeroPoints(report, tensor, zeros.data, type, length);
}

function allZero(json: unknown): boolean {
  return json === undefined || json === null || (flattenNested(json)?.data.every((value) => value === 0) ?? false);
}
