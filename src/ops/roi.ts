/** RoiAlign and MaxRoiPool: pools over regions that a tensor states. Source: RoiAlign-10/16/22, MaxRoiPool-1/22. */
import { roundHalfAway } from "../numerics/roundOther.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import type { Round } from "./arrays.ts";
import { float, int, oneOf, readAttrs } from "./attributes.ts";
import { ints } from "./attributesOther.ts";
import { checkDims, numbersAt, required, requireFloat, requireInteger, requireRank, requireVector, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";

/** Samples of one bin and axis beyond this are a mistake, not a model. */
const MOST_SAMPLES = 4096;

interface AlignAttrs {
  readonly shifted: boolean; // coordinates name centers of elements: half an element less
  readonly mode: "avg" | "max";
  readonly output_height: number;
  readonly output_width: number;
  readonly sampling_ratio: number;
  readonly spatial_scale: number;
}

/** One axis of the samples of one bin. */
interface Sample {
  readonly lo: number;
  readonly hi: number;
  readonly fraction: number; // weight of hi
}

/** Null where the sample lies more than one element outside. */
function sampleAt(x: number, extent: number, round: Round): Sample | null {
  if (x < -1 || x > extent) return null;
  const at = Math.max(x, 0);
  const lo = Math.floor(at);
  if (lo >= extent - 1) return { lo: extent - 1, hi: extent - 1, fraction: 0 };
  return { lo, hi: lo + 1, fraction: round(at - lo) };
}

/** The samples of bin `bin`: `count` of them at even distances. */
function samplesOf(start: number, size: number, bin: number, count: number, extent: number, round: Round): (Sample | null)[] {
  if (!(count <= MOST_SAMPLES)) throw shapeError(`a bin of ${size} elements takes ${count} samples, at most ${MOST_SAMPLES} are computed`);
  return Array.from({ length: count }, (_, i) => {
    const within = round(round((i + 0.5) * size) / count);
    return sampleAt(round(round(start + round(bin * size)) + within), extent, round);
  });
}

/** Mean or maximum of the four weighted neighbours of every sample; the maximum is taken of the weighted elements themselves, as the
 *  operator's reference does. */
function poolSamples(
  plane: ArrayLike<number>,
  from: number,
  width: number,
  ys: (Sample | null)[],
  xs: (Sample | null)[],
  attrs: AlignAttrs,
  round: Round,
): number {
  let acc = attrs.mode === "max" ? -Infinity : 0;
  for (const y of ys) {
    for (const x of xs) {
      if (!y || !x) {
        if (attrs.mode === "max") acc = Math.max(acc, 0);
        continue;
      }
      const terms = [
        [round(1 - y.fraction), y.lo, round(1 - x.fraction), x.lo],
        [round(1 - y.fraction), y.lo, x.fraction, x.hi],
        [y.fraction, y.hi, round(1 - x.fraction), x.lo],
        [y.fraction, y.hi, x.fraction, x.hi],
      ].map(([wy, row, wx, column]) => {
        const value = plane[from + (row as number) * width + (column as number)] as number;
        return round(round((wy as number) * (wx as number)) * value);
      });
      if (attrs.mode === "max") acc = Math.max(acc, ...terms);
      else acc = round(acc + terms.reduce((sum, term) => round(sum + term), 0));
    }
  }
  const count = Math.max(ys.length * xs.length, 1);
  return attrs.mode === "max" ? (ys.length * xs.length === 0 ? 0 : acc) : round(acc / count);
}

function alignRois(inputs: readonly (Numbers | null)[], attrs: AlignAttrs, out: Numbers, round: Round): Numbers {
  const [x, rois, batches] = [numbersAt(inputs, 0), numbersAt(inputs, 1), numbersAt(inputs, 2)];
  const [images, channels, height, width] = x.dims as [number, number, number, number];
  const shift = attrs.shifted ? 0.5 : 0;
  const bins = [attrs.output_height, attrs.output_width] as const;
  for (let r = 0; r < (rois.dims[0] as number); r++) {
    const image = batches.data[r] as number;
    if (image < 0 || image >= images) throw shapeError(`region ${r} names image ${image} of ${images}`);
    const corner = (i: number): number => round(round((rois.data[r * 4 + i] as number) * attrs.spatial_scale) - shift);
    const axis = (i: 0 | 1) => {
      const start = corner(1 - i);
      const length = round(corner(3 - i) - start);
      const size = round((attrs.shifted ? length : Math.max(length, 1)) / bins[i]);
      return { start, size, count: attrs.sampling_ratio > 0 ? attrs.sampling_ratio : Math.max(0, Math.ceil(size)) };
    };
    const [y, xAxis] = [axis(0), axis(1)];
    for (let h = 0; h < bins[0]; h++) {
      const ys = samplesOf(y.start, y.size, h, y.count, height, round);
      for (let w = 0; w < bins[1]; w++) {
        const xs = samplesOf(xAxis.start, xAxis.size, w, xAxis.count, width, round);
        for (let c = 0; c < channels; c++) {
          const value = poolSamples(x.data, (image * channels + c) * height * width, width, ys, xs, attrs, round);
          out.data[((r * channels + c) * bins[0] + h) * bins[1] + w] = value;
        }
      }
    }
  }
  return out;
}

const roiAlign = defineOp<AlignAttrs>({
  type: "RoiAlign",
  since: 10,
  arity: { inputs: [3, 3], outputs: [1, 1] },
  parse(attrs, opset) {
    const all = readAttrs(attrs, {
      mode: oneOf("avg", "max"),
      output_height: int(1),
      output_width: int(1),
      sampling_ratio: int(0),
      spatial_scale: float(1),
      coordinate_transformation_mode: opset >= 16 ? oneOf("half_pixel", "output_half_pixel") : () => "output_half_pixel" as const,
    });
    return { ...all, shifted: all.coordinate_transformation_mode === "half_pixel" };
  },
  infer(inputs, attrs) {
    const [x, rois, batches] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    requireFloat(x);
    requireRank(x, 0, 4);
    requireRank(rois, 1, 2);
    requireInteger(batches, 2);
    if (rois.dims[1] !== 4) throw shapeError(`regions have ${rois.dims[1]} coordinates, expected 4`);
    requireVector(batches, 2, rois.dims[0] as number);
    return [{ type: x.type, dims: checkDims([rois.dims[0] as number, x.dims[1] as number, attrs.output_height, attrs.output_width]) }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const dims = [numbersAt(inputs, 1).dims[0] as number, x.dims[1] as number, attrs.output_height, attrs.output_width];
    return [alignRois(inputs, attrs, zerosLike(x, dims, precision), roundOf(x, precision))];
  },
  traits: {},
});

interface RoiPoolAttrs {
  readonly pooled_shape: readonly number[];
  readonly spatial_scale: number;
}

/** [first, last + 1] of a bin, inside the image. */
function binOf(bin: number, bins: number, start: number, end: number, extent: number): [number, number] {
  const size = Math.max(end - start + 1, 1) / bins;
  const clip = (at: number): number => Math.min(Math.max(at, 0), extent);
  return [clip(Math.floor(bin * size) + start), clip(Math.ceil((bin + 1) * size) + start)];
}

function poolRois(x: Numbers, rois: Numbers, { pooled_shape, spatial_scale }: RoiPoolAttrs, out: Numbers): Numbers {
  const [images, channels, height, width] = x.dims as [number, number, number, number];
  const [rows, columns] = pooled_shape as [number, number];
  for (let i = 0; i < out.data.length; i++) {
    const [w, h] = [i % columns, Math.floor(i / columns) % rows];
    const [c, r] = [Math.floor(i / (columns * rows)) % channels, Math.floor(i / (columns * rows * channels))];
    const corner = (k: number): number => roundHalfAway((rois.data[r * 5 + k] as number) * spatial_scale);
    const image = rois.data[r * 5] as number;
    if (image < 0 || image >= images) throw shapeError(`region ${r} names image ${image} of ${images}`);
    const [top, bottom] = binOf(h, rows, corner(2), corner(4), height);
    const [left, right] = binOf(w, columns, corner(1), corner(3), width);
    let best = top < bottom && left < right ? -Infinity : 0;
    for (let y = top; y < bottom; y++)
      for (let at = left; at < right; at++) best = Math.max(best, x.data[((image * channels + c) * height + y) * width + at] as number);
    out.data[i] = best;
  }
  return out;
}

const maxRoiPool = defineOp<RoiPoolAttrs>({
  type: "MaxRoiPool",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { pooled_shape: ints(), spatial_scale: float(1) }),
  infer(inputs, { pooled_shape }) {
    const [x, rois] = [required(inputs, 0), required(inputs, 1)];
    requireFloat(x);
    requireRank(x, 0, 4);
    requireRank(rois, 1, 2);
    if (rois.dims[1] !== 5) throw shapeError(`regions have ${rois.dims[1]} entries, expected 5`);
    if (pooled_shape.length !== 2) throw shapeError(`attribute 'pooled_shape' has ${pooled_shape.length} entries, expected 2`);
    return [{ type: x.type, dims: checkDims([rois.dims[0] as number, x.dims[1] as number, ...pooled_shape]) }];
  },
  float(inputs, attrs, precision) {
    const [x, rois] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    return [poolRois(x, rois, attrs, zerosLike(x, [rois.dims[0] as number, x.dims[1] as number, ...attrs.pooled_shape], precision))];
  },
  traits: {},
});

export const ROIS: readonly OpDef[] = [erased(roiAlign), erased(maxRoiPool)];
