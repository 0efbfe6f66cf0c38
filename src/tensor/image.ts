/** Images as tensors: resized, normalized and, for quantized inputs, quantized, in arithmetic that gives the same bytes everywhere. */
import type { Encoding } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import { quantizeFloat32, quantizeReal } from "../numerics/affine.ts";
import type { Target } from "../numerics/target.ts";
import { integerType, newArray, type TypedArray } from "./dtype.ts";
import { type Resize, resized } from "./imageResize.ts";
import { Tensor } from "./tensor.ts";

/** Pixels, row by row from the top left; 1, 3 or 4 bytes each: grey, RGB, or RGB and alpha. An ImageData is one. */
export interface ImageSource {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

export type Channels = "RGB" | "BGR" | "RGBA" | "gray";

/** What `Tensor.fromImage` makes of an image. An element is fround((pixel · range / 255 − mean) / std), computed in double. */
export interface ImageOptions {
  /** One number, or one per channel of the result; in units of `range`. Defaults: mean 0, std 1. */
  readonly mean?: number | readonly number[];
  readonly std?: number | readonly number[];
  /** The value of a full pixel. 1 (default): transformers.js's `rescale_factor` of 1/255, then `image_mean` and `image_std`.
   *  255: mean and std in pixel units; ONNX Runtime's `norm` { mean: m, bias: b } is std m, mean −b. */
  readonly range?: number;
  /** Default NCHW. */
  readonly layout?: "NCHW" | "NHWC";
  /** Default RGB. Alpha is left out, not blended; of a grey image all three are equal; gray: (19595·R + 38470·G + 7471·B + 32768) >> 16. */
  readonly channels?: Channels;
  readonly resize?: Resize;
  /** float32 (default), or uint8: the pixels themselves, without range, mean and std. */
  readonly type?: "float32" | "uint8";
  /** Of the model's input (`model.inputs[0].encoding`): the result holds the codes a run would make of the float32 elements. */
  readonly encoding?: Encoding | undefined;
  /** Of the session that takes the codes, as `ort` divides in float32. Default exact. */
  readonly target?: Target;
  /** A tensor of the result's type, shape and encoding to write to, instead of a new one. */
  readonly into?: Tensor;
}

/** Byte offsets of the source's channels that a channel of the result reads, for colour and for grey sources. */
const ORDERS: Readonly<Record<Channels, readonly number[]>> = { RGB: [0, 1, 2], BGR: [2, 1, 0], RGBA: [0, 1, 2, 3], gray: [0] };

const TARGETS: readonly Target[] = ["exact", "fixed-single", "fixed-double", "ort"];

interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly step: number; // bytes per pixel
}

/** The tensor of an image, of shape [1, channels, height, width] or [1, height, width, channels]. throws ModelError "image/…". */
export function imageTensor(image: ImageSource, options: ImageOptions = {}): Tensor {
  if (typeof options !== "object" || options === null) throw modelError("option/type", "options: expected a record of options, or nothing");
  const { channels = "RGB", layout = "NCHW" } = options;
  const order = Object.hasOwn(ORDERS, channels) ? ORDERS[channels] : undefined;
  if (!order) throw modelError("image/channels", `channels: found '${String(channels)}', expected RGB, BGR, RGBA or gray`);
  if (layout !== "NCHW" && layout !== "NHWC") throw modelError("image/layout", `layout: found '${String(layout)}', expected NCHW or NHWC`);
  const source = resized(checkedImage(image), options.resize);
  const planar = layout === "NCHW";
  const { width, height } = source;
  const out = target(options, planar ? [1, order.length, height, width] : [1, height, width, order.length]);
  const size = width * height;
  for (let c = 0; c < order.length; c++) {
    const table = out.type === "uint8" && !out.encoding ? null : channelTable(options, c, order.length, out);
    const [base, stride] = planar ? [c * size, 1] : [c, order.length];
    writeChannel(out.data, base, stride, table, source, channels === "gray" && source.step > 1 ? null : order[c]!);
  }
  return out;
}

function checkedImage(image: ImageSource): Pixels {
  const { data, width, height } = (typeof image === "object" && image !== null ? image : {}) as Partial<ImageSource>;
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const sized = [width, height].every((side) => Number.isInteger(side) && side! > 0 && side! <= 65535);
  if (!bytes || !sized)
    throw modelError("image/source", "image: expected an ImageData or { data, width, height } with bytes and sides from 1 to 65535");
  const step = data.length / (width! * height!);
  if (step !== 1 && step !== 3 && step !== 4)
    throw modelError("image/source", `image: ${data.length} bytes are not 1, 3 or 4 for each of ${width} × ${height} pixels`);
  return { data, width: width!, height: height!, step };
}

function target({ type = "float32", encoding, into }: ImageOptions, dims: number[]): Tensor {
  if (type !== "float32" && type !== "uint8")
    throw modelError("image/type", `type: found '${String(type)}', expected float32 or uint8; for codes give the encoding`);
  if (encoding && !isGrid(encoding))
    throw modelError(
      "image/encoding",
      `encoding: found ${String(encoding.type)} with ${encoding.scale?.length ?? "no"} scales, expected one of at most 16 bits`,
    );
  const size = dims.reduce((a, b) => a * b, 1);
  const wanted = encoding?.type ?? type;
  if (!into) return new Tensor(wanted, newArray(wanted, size), dims, encoding);
  const same =
    into instanceof Tensor &&
    into.type === wanted &&
    into.data.length === size &&
    into.dims.length === 4 &&
    into.dims.every((dim, i) => dim === dims[i]);
  if (!same || !sameGrid(into.encoding, encoding))
    throw modelError("image/into", `into: expected a ${wanted} tensor [${dims.join(", ")}]${encoding ? " with the encoding given" : ""}`);
  return into;
}

function isGrid({ type, scale, zeroPoint }: Encoding): boolean {
  const fields = scale instanceof Float32Array && zeroPoint instanceof Int32Array && scale.length === 1 && zeroPoint.length === 1;
  return fields && scale[0]! > 0 && scale[0]! < Infinity && (integerType(type)?.bits ?? 32) <= 16;
}

function sameGrid(a: Encoding | undefined, b: Encoding | undefined): boolean {
  return a === b || (a?.type === b?.type && a?.scale[0] === b?.scale[0] && a?.zeroPoint[0] === b?.zeroPoint[0] && a?.scale.length === 1);
}

/** What each pixel value of channel c of n becomes: float32, or codes as the session's own quantization makes them of it. Null: itself. */
function channelTable(options: ImageOptions, c: number, n: number, { encoding }: Tensor): Float64Array | null {
  const { range = 1, target = "exact" } = options;
  const mean = perChannel("mean", options.mean ?? 0, c, n);
  const std = perChannel("std", options.std ?? 1, c, n);
  if (!(range > 0 && range < Infinity)) throw modelError("image/range", `range: found ${String(range)}, expected 1 or 255`);
  if (!TARGETS.includes(target)) throw modelError("image/target", `target: found '${String(target)}', expected that of the session`);
  if (std === 0) throw modelError("image/std", "std: found 0, expected another number");
  const table = Float64Array.from({ length: 256 }, (_, pixel) => Math.fround(((pixel * range) / 255 - mean) / std));
  if (!encoding) return table;
  const { bits, signed } = integerType(encoding.type)!;
  const qmin = signed ? -(2 ** (bits - 1)) : 0;
  const qmax = qmin + 2 ** bits - 1;
  const [scale, zero] = [encoding.scale[0]!, encoding.zeroPoint[0]!];
  for (let pixel = 0; pixel < 256; pixel++) {
    const x = table[pixel]!;
    table[pixel] = target === "ort" ? quantizeFloat32(x, scale, zero, qmin, qmax, "halfEven") : quantizeReal(x, scale, zero, qmin, qmax);
  }
  return table.every((code, pixel) => code === pixel) ? null : table;
}

function perChannel(name: "mean" | "std", given: number | readonly number[], c: number, n: number): number {
  const list = typeof given === "number" ? null : given;
  const value = list ? (list.length === n ? list[c] : undefined) : given;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw modelError(`image/${name}`, `${name}: expected a number, or ${n} of them, one per channel`);
  return value as number;
}

/** at: which byte of a pixel; null: the luminance of its colours. A grey source gives its one byte, full alpha for a missing fourth. */
function writeChannel(to: TypedArray, base: number, stride: number, table: Float64Array | null, from: Pixels, at: number | null): void {
  const { data, step } = from;
  const size = from.width * from.height;
  const opaque = at === 3 && step < 4;
  const first = step === 1 ? 0 : (at ?? 0);
  for (let i = 0, o = base; i < size; i++, o += stride) {
    const p = i * step + first;
    const pixel = at === null ? (19595 * data[p]! + 38470 * data[p + 1]! + 7471 * data[p + 2]! + 32768) >> 16 : opaque ? 255 : data[p]!;
    to[o] = table ? table[pixel]! : pixel;
  }
}
