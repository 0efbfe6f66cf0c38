/** Pictures to input tensors: resized to the input's size, normalized to the range it was quantized for. */
import type { PortReport } from "../src/inspectReport.ts";
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
  if (!port || port.shape.length !== 4 || !["float32", "uint8"].includes(port.type)) return null;
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

function normalized(value: number, channel: number, range: Range): number {
  if (range === "0 … 255") return value;
  if (range === "0 … 1") return value / 255;
  return range === "−1 … 1" ? value / 127.5 - 1 : (value / 255 - MEAN[channel]!) / DEVIATION[channel]!;
}

/** Pixels (RGBA, width × height of `shape`) as a tensor of `port`. */
export function pixelsToTensor(pixels: Uint8ClampedArray, port: PortReport, shape: PictureShape, range: Range): PlainTensor {
  const { width, height, channels, channelsLast } = shape;
  const area = width * height;
  const data = port.type === "uint8" ? new Uint8Array(channels * area) : new Float32Array(channels * area);
  for (let i = 0; i < area; i++) {
    const [r, g, b] = [pixels[4 * i]!, pixels[4 * i + 1]!, pixels[4 * i + 2]!];
    const values = channels === 3 ? [r, g, b] : [0.299 * r + 0.587 * g + 0.114 * b];
    values.forEach((value, channel) => {
      data[channelsLast ? i * channels + channel : channel * area + i] = normalized(value, channel, range);
    });
  }
  return { type: port.type, data, dims: channelsLast ? [1, height, width, channels] : [1, channels, height, width] };
}

/** The middle of `picture`, as large as its shorter side allows, drawn at the input's size. */
export function drawPicture(
  canvas: HTMLCanvasElement,
  picture: ImageBitmap | HTMLVideoElement,
  { width, height }: PictureShape,
): Uint8ClampedArray {
  const from = picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
  const factor = Math.min(from[0]! / width, from[1]! / height);
  const [w, h] = [width * factor, height * factor];
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(picture, (from[0]! - w) / 2, (from[1]! - h) / 2, w, h, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** Draws what a tensor holds, its least element black and its largest white. */
export function drawTensor(
  canvas: HTMLCanvasElement,
  { data }: PlainTensor,
  { width, height, channels, channelsLast }: PictureShape,
): void {
  const numbers = data as unknown as ArrayLike<number>;
  const area = width * height;
  const [least, most] = [Math.min(...extremes(numbers)), Math.max(...extremes(numbers))];
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
