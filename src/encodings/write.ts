/** Encodings to AIMET files, versions 1.0.0 and 2.0.0. */
import { modelError } from "../errors.ts";
import { type Encoding, gridOf, isPerTensor } from "./encoding.ts";

export interface NamedEncoding {
  readonly name: string;
  readonly param: boolean; // a constant, not an activation
  readonly encoding?: Encoding;
  readonly dims?: readonly number[]; // of the tensor; block encodings need it
  readonly half?: boolean; // rounded to binary16, no encoding
}

type Json = { [key: string]: Json | Json[] } | string | number | boolean | readonly Json[];

/** The text of an encodings file. What parseEncodings and resolveEncoding make of it equals `items`; only signed grids with a
 *  zero point come back as the unsigned grid with the same reals in version 1.0.0, which has no such grids. Half entries are
 *  left out of 2.0.0, where float tensors have none.
 *  throws ModelError "encodings/unsupported" for LPBQ types 1.0.0 cannot hold. */
export function writeEncodings(items: Iterable<NamedEncoding>, version: "1.0.0" | "2.0.0"): string {
  return `${JSON.stringify(version === "1.0.0" ? writeLegacy([...items]) : writeModern([...items]), null, 2)}\n`;
}

function writeLegacy(items: readonly NamedEncoding[]): Json {
  const section = (param: boolean): Json[] => items.filter((item) => item.param === param).flatMap(legacyEntry);
  return { version: "1.0.0", activation_encodings: section(false), param_encodings: section(true) };
}

/** offset = −zeroPoint on the unsigned grid. is_sym says "signed grid" to readers, so only signed grids around 0 are written so. */
function legacyEntry({ name, encoding, half }: NamedEncoding): Json[] {
  if (!encoding) return half ? [{ name, enc_type: "PER_TENSOR", dtype: "FLOAT", bw: 16 }] : [];
  const { bits, signed } = gridOf(encoding.type);
  const { lpbq, zeroPoint } = encoding;
  const symmetric = signed && zeroPoint.every((zero) => zero === 0);
  const unsignedZero = signed ? 2 ** (bits - 1) : 0;
  const offset = Array.from(zeroPoint, (zero) => -(zero + unsignedZero) + 0);
  const plain = { name, dtype: "INT", is_sym: symmetric };
  if (lpbq) return [lpbqEntry(name, encoding, lpbq, bits)];
  const scale = Array.from(encoding.scale);
  if (encoding.blockSize !== null) return [{ ...plain, enc_type: "PER_BLOCK", bw: bits, block_size: encoding.blockSize, scale, offset }];
  return [{ ...plain, enc_type: isPerTensor(encoding) ? "PER_TENSOR" : "PER_CHANNEL", bw: bits, scale, offset }];
}

type Lpbq = NonNullable<Encoding["lpbq"]>;

/** The decompressed width is the narrowest of 8 and 16 bits whose factor range holds the block integers. */
function lpbqEntry(name: string, encoding: Encoding, { channelScale, blockInt }: Lpbq, bits: number): Json {
  const largest = blockInt.reduce((a, b) => Math.max(a, b), 1);
  const wide = [8, 16].find((width) => 2 ** (width - bits) >= largest);
  if (wide === undefined) {
    throw modelError(
      "encodings/unsupported",
      `encoding of '${name}': block integer ${largest} at ${bits} bits, expected at most ${2 ** (16 - bits)} in version 1.0.0. Write version 2.0.0.`,
      { tensor: name },
    );
  }
  return {
    name,
    enc_type: "LPBQ",
    dtype: "INT",
    is_sym: true,
    bw: wide,
    compressed_bw: bits,
    block_size: encoding.blockSize as number,
    scale: Array.from(channelScale),
    offset: Array.from(channelScale, () => -(2 ** (wide - 1))),
    per_block_int_scale: Array.from(blockInt),
  };
}

function writeModern(items: readonly NamedEncoding[]): Json {
  return {
    version: "2.0.0",
    encodings: items.flatMap(({ name, encoding, dims }) => (encoding ? [{ name, ...modernEntry(name, encoding, dims) }] : [])),
  };
}

function modernEntry(name: string, encoding: Encoding, dims: readonly number[] | undefined): { [key: string]: Json } {
  const { type, scale, zeroPoint, axis, blockAxis, blockSize, lpbq } = encoding;
  const zeros = zeroPoint.some((zero) => zero !== 0);
  if (isPerTensor(encoding) || axis === null) {
    return { output_dtype: type, y_scale: scale[0] as number, ...(zeros ? { y_zero_point: zeroPoint[0] as number } : {}) };
  }
  if (blockSize === null || blockAxis === null) {
    return { output_dtype: type, y_scale: Array.from(scale), ...(zeros ? { y_zero_point: Array.from(zeroPoint) } : {}), axis };
  }
  const channels = lpbq?.channelScale.length ?? dims?.[axis];
  if (channels === undefined)
    throw modelError("encodings/unsupported", `encoding of '${name}': blocks without the tensor's shape, expected dims.`, { tensor: name });
  const channelFirst = axis < blockAxis;
  const nest = (data: ArrayLike<number>): Json => rows(data, channelFirst ? scale.length / channels : channels);
  const place = { output_dtype: type, axis: blockAxis, block_size: blockSize };
  if (!lpbq) return { ...place, y_scale: nest(scale), ...(zeros ? { y_zero_point: nest(zeroPoint) } : {}) };
  const channelScale: Json = channelFirst ? Array.from(lpbq.channelScale, (value) => [value]) : [Array.from(lpbq.channelScale)];
  return { ...place, per_block_int_scale: nest(lpbq.blockInt), per_channel_float_scale: channelScale };
}

function rows(data: ArrayLike<number>, length: number): Json {
  const list = Array.from(data);
  return Array.from({ length: list.length / length }, (_, row) => list.slice(row * length, (row + 1) * length));
}
