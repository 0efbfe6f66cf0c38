/** Resizing of byte images in integers: the same bytes on every engine. */
import { modelError } from "../errors.ts";

/** nearest: source pixel ⌊(2x + 1)·w / 2w'⌋. bilinear (default): centres of pixels aligned, position ((2x + 1)·w − w') / 2w' clamped to the
 *  image, the exact weighted mean of four pixels rounded to the nearest byte, halves up; no filter against aliasing when it shrinks. */
export interface Resize {
  readonly width: number;
  readonly height: number;
  readonly method?: "nearest" | "bilinear";
}

interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly step: number; // bytes per pixel
}

const MOST_PIXELS = 2 ** 28;

function isSide(side: unknown): side is number {
  return typeof side === "number" && Number.isInteger(side) && side > 0 && side <= 65535;
}

/** The image at the size asked for; itself when it has that. throws ModelError "image/resize". */
export function resized(source: Pixels, resize: Resize | undefined): Pixels {
  if (resize === undefined) return source;
  const { width, height, method = "bilinear" } = (resize ?? {}) as Partial<Resize>;
  const sized = isSide(width) && isSide(height) && width * height <= MOST_PIXELS;
  if (!sized || (method !== "nearest" && method !== "bilinear")) {
    const message = "resize: expected { width, height } from 1 to 65535, at most 2^28 pixels, and method nearest or bilinear";
    throw modelError("image/resize", message);
  }
  if (width === source.width && height === source.height) return source;
  const data = new Uint8Array(width * height * source.step);
  const columns = taps(source.width, width, method === "nearest");
  const rows = taps(source.height, height, method === "nearest");
  blend(source, columns, rows, data);
  return { data, width, height, step: source.step };
}

/** For each place of an axis: two source places and the weight of the second, in units of 1/(2·size). */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Int32Array;
  readonly unit: number;
}

function taps(from: number, to: number, nearest: boolean): Taps {
  const unit = 2 * to;
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const weight = new Int32Array(to);
  for (let x = 0; x < to; x++) {
    const at = nearest ? (2 * x + 1) * from : Math.min(Math.max((2 * x + 1) * from - to, 0), (from - 1) * unit);
    low[x] = Math.floor(at / unit);
    high[x] = Math.min(low[x]! + 1, from - 1);
    weight[x] = nearest ? 0 : at % unit;
  }
  return { low, high, weight, unit };
}

/** Sums of at most 255 · 2^17 · 2^17 < 2^42, and twice that in the rounding: exact in double, as is the quotient's floor, whose distance to
 *  an integer is 0 or at least 2^−36. */
function blend({ data, width, step }: Pixels, columns: Taps, rows: Taps, out: Uint8Array): void {
  const area = columns.unit * rows.unit;
  let o = 0;
  for (let y = 0; y < rows.low.length; y++) {
    const [top, bottom, down] = [rows.low[y]! * width, rows.high[y]! * width, rows.weight[y]!];
    for (let x = 0; x < columns.low.length; x++) {
      const [left, right, along] = [columns.low[x]!, columns.high[x]!, columns.weight[x]!];
      for (let c = 0; c < step; c++) {
        const a = data[(top + left) * step + c]! * (columns.unit - along) + data[(top + right) * step + c]! * along;
        const b = data[(bottom + left) * step + c]! * (columns.unit - along) + data[(bottom + right) * step + c]! * along;
        out[o++] = Math.floor((2 * (a * (rows.unit - down) + b * down) + area) / (2 * area));
      }
    }
  }
}
