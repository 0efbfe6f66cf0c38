/** Pictures to input tensors: cut to the input's proportions, resized, normalized to the range it was quantized for. */
import type { PortReport } from "../src/inspectReport.ts";
import { type ImageOptions, imageTensor } from "../src/tensor/image.ts";
import type { PlainTensor } from "./protocol.ts";

export const RANGES = ["0 … 1", "−1 … 1", "ImageNet", "0 … 255"] as const;
export type Range = (typeof RANGES)[number];

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** The size a picture must have to feed `port`; null when the input is no picture. */
export interface PictureShape {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly channelsLast: boolean;
}

export function pictureShape(port: PortReport | undefined): PictureShape | null {
  if (port?.shape.length !== 4 || !["float32", "uint8"].includes(port.type)) return null;
  const [n, a, b, c] = port.shape.map((dim) => (typeof dim === "number" ? dim : 1)) as [number, number, number, number];
  const isChannels = (size: number): size is 1 | 3 => size === 1 || size === 3;
  if (n !== 1) return null;
  if (isChannels(a)) return { channels: a, height: b, width: c, channelsLast: false };
  return isChannels(c) ? { channels: c, height: a, width: b, channelsLast: true } : null;
}

/** The normalization that fits the range the input's encoding spans. */
export function likelyRange({ type, encoding }: PortReport): Range {
  if (type === "uint8") return "0 … 255";
  if (!encoding) return "0 … 1";
  const unsigned = encoding.type.startsWith("u");
  const levels = 2 ** Number(/\d+/.exec(encoding.type)?.[0] ?? 8);
  const least = encoding.scale * ((unsigned ? 0 : -levels / 2) - encoding.zeroPoint);
  const most = encoding.scale * ((unsigned ? levels - 1 : levels / 2 - 1) - encoding.zeroPoint);
  if (least < -1.3) return "ImageNet";
  if (least < -0.1) return "−1 … 1";
  return most > 3 ? "0 … 255" : "0 … 1";
}

function options(range: Range): Pick<ImageOptions, "mean" | "std" | "range"> {
  if (range === "ImageNet") return { mean: MEAN, std: DEVIATION };
  return range === "−1 … 1" ? { mean: 0.5, std: 0.5 } : { range: range === "0 … 255" ? 255 : 1 };
}

/** A picture as a tensor for `port`: its values normalized, resized in integers, so that the same pixels give the same bytes everywhere. */
export function pictureTensor(pixels: ImageData, port: PortReport, shape: PictureShape, range: Range): PlainTensor {
  const { width, height, channels, channelsLast } = shape;
  const { mean, std, ...rest } = options(range);
  const single = channels === 1 && Array.isArray(mean) ? { mean: mean[1] as number, std: (std as number[])[1] as number } : { mean, std };
  const tensor = imageTensor(pixels, {
    ...rest,
    ...(single.mean === undefined || single.std === undefined ? {} : { mean: single.mean, std: single.std }),
    layout: channelsLast ? "NHWC" : "NCHW",
    channels: channels === 1 ? "gray" : "RGB",
    resize: { width, height },
    type: port.type === "uint8" ? "uint8" : "float32",
  });
  return { type: tensor.type, data: tensor.data as unknown as PlainTensor["data"], dims: tensor.dims };
}

/** The middle of a picture, of the proportions of the input, as large as it is there. */
export function pixelsOf(picture: ImageBitmap | HTMLVideoElement, { width, height }: PictureShape): ImageData {
  const [across, down] = picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
  const factor = Math.min(across / width, down / height);
  const [w, h] = [Math.max(1, Math.floor(width * factor)), Math.max(1, Math.floor(height * factor))];
  const context = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(picture, Math.floor((across - w) / 2), Math.floor((down - h) / 2), w, h, 0, 0, w, h);
  return context.getImageData(0, 0, w, h);
}

/** Draws what a tensor holds, its least element black and its largest white. */
export function drawTensor(
  canvas: HTMLCanvasElement,
  { data }: PlainTensor,
  { width, height, channels, channelsLast }: PictureShape,
): void {
  const numbers = data as unknown as ArrayLike<number>;
  const area = width * height;
  const [least, most] = extremes(numbers);
  const image = new ImageData(width, height);
  for (let i = 0; i < 4 * area; i++) {
    const channel = Math.min(i % 4, channels - 1);
    const pixel = Math.floor(i / 4);
    const value = numbers[channelsLast ? pixel * channels + channel : channel * area + pixel] ?? 0;
    image.data[i] = i % 4 === 3 ? 255 : (255 * (value - least)) / (most - least || 1);
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}

function extremes(numbers: ArrayLike<number>): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < numbers.length; i++) {
    least = Math.min(least, numbers[i]!);
    most = Math.max(most, numbers[i]!);
  }
  return [least, most];
}
