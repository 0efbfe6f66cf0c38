/** Operators that rearrange elements: Transpose, Concat, Split, Slice, Pad, Expand, Tile, DepthToSpace, SpaceToDepth. */

import { broadcastShapes, formatShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { attributeError, float, int, noAttrs, oneOf, optionalInts, readAttrs, withoutAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import { constantInts, required, resolveAxes, resolveAxis, shapeError } from "./checks.ts";
import { presentInputs } from "./checksOther.ts";
import { defineMovement } from "./movement.ts";
import type { OpDef, Region, TypeInfo } from "./op.ts";
import { type AxisMap, mapped, permuted } from "./regions.ts";

type Infos = readonly (TypeInfo | null)[];

function single<T>(movement: T | undefined): T[] | undefined {
  return movement && [movement];
}

function permutationOf(rank: number, perm: readonly number[] | undefined): readonly number[] {
  const axes = perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (axes.length !== rank) throw shapeError(`attribute 'perm' has ${axes.length} entries, expected ${rank}`);
  return resolveAxes(axes, rank);
}

const transpose = defineMovement({
  type: "Transpose",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { perm: optionalInts() }),
  shapes(inputs, { perm }) {
    const { dims } = required(inputs, 0);
    return [permutationOf(dims.length, perm).map((axis) => dims[axis] as number)];
  },
  movement(inputs, _outputs, { perm }) {
    const { dims } = required(inputs, 0);
    return [permuted(dims, permutationOf(dims.length, perm))];
  },
});

const concat = defineMovement({
  type: "Concat",
  since: 4,
  arity: { inputs: [1, Infinity], outputs: [1, 1] },
  passesEncoding: false,
  parse: (attrs) => readAttrs(attrs, { axis: int() }),
  shapes(inputs, attrs) {
    const all = presentInputs(inputs);
    const first = required(inputs, 0).dims;
    const axis = resolveAxis(attrs.axis, first.length);
    for (const [i, { dims }] of all.entries()) {
      if (dims.length === first.length && dims.every((dim, k) => k === axis || dim === first[k])) continue;
      throw shapeError(`input ${i} has shape ${formatShape(dims)}, expected ${formatShape(first)} but for axis ${axis}`);
    }
    return [first.map((dim, k) => (k === axis ? all.reduce((sum, { dims }) => sum + (dims[axis] as number), 0) : dim))];
  },
  movement(inputs, [out = []], attrs) {
    const axis = resolveAxis(attrs.axis, out.length);
    const strides = stridesOf(out);
    const regions: Region[] = [];
    let at = 0;
    for (const [input, { dims }] of presentInputs(inputs).entries()) {
      if (sizeOf(dims) > 0)
        regions.push({
          input,
          inOffset: 0,
          inStrides: stridesOf(dims),
          outOffset: at * (strides[axis] as number),
          outStrides: strides,
          dims,
        });
      at += dims[axis] as number;
    }
    return [{ regions }];
  },
});

interface SplitAttrs {
  readonly axis: number;
  readonly split: readonly number[] | undefined;
  readonly count: number | undefined;
}

/** Extents of the parts. Equal parts; with num_outputs the last one may be smaller. */
function partsOf(inputs: Infos, attrs: SplitAttrs): { readonly axis: number; readonly parts: readonly number[] } {
  const { dims } = required(inputs, 0);
  const axis = resolveAxis(attrs.axis, dims.length);
  const extent = dims[axis] as number;
  const given = inputs[1] ? constantInts(inputs[1], 1) : attrs.split;
  if (given) {
    if (given.some((part) => part < 0) || given.reduce((sum, part) => sum + part, 0) !== extent) {
      throw shapeError(`the parts [${given.join(", ")}] do not add up to ${extent} (axis ${axis})`);
    }
    if (attrs.count !== undefined && given.length !== attrs.count)
      throw shapeError(`${given.length} parts [${given.join(", ")}], expected ${attrs.count}: one for each output`);
    return { axis, parts: given };
  }
  const count = attrs.count;
  if (count === undefined) throw shapeError("the parts are not given, expected an input, an attribute 'split' or 'num_outputs'");
  if (count > extent) throw shapeError(`${count} parts of an extent of ${extent} (axis ${axis}), expected at most as many`);
  const part = Math.ceil(extent / count);
  const parts = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, extent - i * part)));
  return { axis, parts };
}

const split = defineMovement<SplitAttrs>({
  type: "Split",
  since: 2,
  arity: { inputs: [1, 2], outputs: [1, Infinity] },
  integers: [1],
  parse(attrs, opset, outputs) {
    if (opset < 13) {
      const { axis, split: parts } = readAttrs(attrs, { axis: int(0), split: optionalInts() });
      return { axis, split: parts, count: outputs };
    }
    const { axis, num_outputs } = readAttrs(
      attrs,
      opset >= 18 ? { axis: int(0), num_outputs: optionalInt() } : { axis: int(0), num_outputs: () => undefined },
    );
    if (num_outputs !== undefined && num_outputs < 1) throw attributeError("num_outputs", `found ${num_outputs}, expected at least 1`);
    return { axis, split: undefined, count: num_outputs ?? outputs };
  },
  shapes(inputs, attrs) {
    const { dims } = required(inputs, 0);
    const { axis, parts } = partsOf(inputs, attrs);
    return parts.map((part) => dims.map((dim, i) => (i === axis ? part : dim)));
  },
  movement(inputs, outputs, attrs) {
    const { dims } = required(inputs, 0);
    const { axis } = partsOf(inputs, attrs);
    const strides = stridesOf(dims);
    let at = 0;
    return outputs.map((out) => {
      const inOffset = at * (strides[axis] as number);
      at += out[axis] as number;
      return {
        regions: sizeOf(out) === 0 ? [] : [{ input: 0, inOffset, inStrides: strides, outOffset: 0, outStrides: stridesOf(out), dims: out }],
      };
    });
  },
});

interface SliceAttrs {
  readonly starts: readonly number[] | undefined;
  readonly ends: readonly number[] | undefined;
  readonly axes: readonly number[] | undefined;
}

/** First index, step and count of one axis; ends beyond the extent are clamped as ONNX says. */
function sliceAxis(
  extent: number,
  start: number,
  end: number,
  step: number,
): { readonly start: number; readonly step: number; readonly count: number } {
  const from = start < 0 ? start + extent : start;
  const to = end < 0 ? end + extent : end;
  const clamp = (x: number, lo: number, hi: number): number => Math.min(Math.max(x, lo), hi);
  const first = step > 0 ? clamp(from, 0, extent) : clamp(from, 0, extent - 1);
  const last = step > 0 ? clamp(to, 0, extent) : clamp(to, -1, extent - 1);
  return { start: first, step, count: extent === 0 ? 0 : Math.max(0, Math.ceil((last - first) / step)) };
}

function slicesOf(inputs: Infos, attrs: SliceAttrs): { readonly start: number; readonly step: number; readonly count: number }[] {
  const { dims } = required(inputs, 0);
  const read = (i: number, given: readonly number[] | undefined) => (inputs[i] ? constantInts(inputs[i], i) : given);
  const starts = read(1, attrs.starts);
  const ends = read(2, attrs.ends);
  if (!starts || !ends || starts.length !== ends.length)
    throw shapeError(`${starts?.length ?? "no"} starts and ${ends?.length ?? "no"} ends, expected as many`);
  const axes = resolveAxes(read(3, attrs.axes) ?? starts.map((_, i) => i), dims.length);
  const steps = read(4, undefined) ?? starts.map(() => 1);
  if (axes.length !== starts.length || steps.length !== starts.length)
    throw shapeError(`${axes.length} axes and ${steps.length} steps for ${starts.length} starts`);
  return dims.map((extent, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return { start: 0, step: 1, count: extent };
    if (steps[i] === 0) throw shapeError(`the step of axis ${axis} is 0`);
    return sliceAxis(extent, starts[i] as number, ends[i] as number, steps[i] as number);
  });
}

const slice = defineMovement<SliceAttrs>({
  type: "Slice",
  arity: { inputs: [1, 5], outputs: [1, 1] },
  integers: [1, 2, 3, 4],
  parse: (attrs, opset) =>
    opset >= 10
      ? withoutAttrs(attrs, { starts: undefined, ends: undefined, axes: undefined })
      : readAttrs(attrs, { starts: optionalInts(), ends: optionalInts(), axes: optionalInts() }),
  shapes: (inputs, attrs) => [slicesOf(inputs, attrs).map(({ count }) => count)],
  movement(inputs, [out = []], attrs) {
    const strides = stridesOf(required(inputs, 0).dims);
    const slices = slicesOf(inputs, attrs);
    if (sizeOf(out) === 0) return [{ regions: [] }];
    return [
      {
        regions: [
          {
            input: 0,
            inOffset: slices.reduce((at, { start }, i) => at + start * (strides[i] as number), 0),
            inStrides: slices.map(({ step }, i) => step * (strides[i] as number)),
            outOffset: 0,
            outStrides: stridesOf(out),
            dims: out,
          },
        ],
      },
    ];
  },
});

const PAD_MODES = ["constant", "reflect", "edge", "wrap"] as const;
type PadMode = (typeof PAD_MODES)[number];

interface PadAttrs {
  readonly mode: PadMode;
  readonly pads: readonly number[] | undefined;
  readonly value: number;
}

function padsOf(inputs: Infos, attrs: PadAttrs): { readonly begin: number[]; readonly end: number[] } {
  const { dims } = required(inputs, 0);
  const pads = inputs[1] ? constantInts(inputs[1], 1) : attrs.pads;
  if (!pads) throw shapeError("the pads are missing");
  const axes = inputs[3] ? resolveAxes(constantInts(inputs[3], 3), dims.length) : dims.map((_, i) => i);
  if (pads.length !== 2 * axes.length)
    throw shapeError(`${pads.length} pads, expected ${2 * axes.length} (begin and end of ${axes.length} axes)`);
  const begin = dims.map((_, axis) => (axes.includes(axis) ? (pads[axes.indexOf(axis)] as number) : 0));
  const end = dims.map((_, axis) => (axes.includes(axis) ? (pads[axes.length + axes.indexOf(axis)] as number) : 0));
  return { begin, end };
}

/** The element of an axis that position `at` (outside [0, extent) on padding) shows; −1: the constant. */
function paddedIndex(at: number, extent: number, mode: PadMode): number {
  if (at >= 0 && at < extent) return at;
  if (mode === "constant" || extent === 0) return -1;
  if (mode === "edge") return at < 0 ? 0 : extent - 1;
  if (mode === "wrap") return ((at % extent) + extent) % extent;
  const period = Math.max(1, 2 * (extent - 1));
  const within = ((at % period) + period) % period;
  return within < extent ? within : period - within;
}

const pad = defineMovement<PadAttrs>({
  type: "Pad",
  since: 2,
  arity: { inputs: [1, 4], outputs: [1, 1] },
  integers: [1, 3],
  parse(attrs, opset) {
    const modes = opset >= 19 ? oneOf(...PAD_MODES) : oneOf<PadMode>("constant", "reflect", "edge");
    if (opset >= 11) return { mode: readAttrs(attrs, { mode: modes }).mode, pads: undefined, value: 0 };
    return readAttrs(attrs, { mode: modes, pads: optionalInts(), value: float(0) });
  },
  shapes(inputs, attrs) {
    const { begin, end } = padsOf(inputs, attrs);
    return [required(inputs, 0).dims.map((dim, i) => dim + (begin[i] as number) + (end[i] as number))];
  },
  movement(inputs, [out = []], attrs) {
    const { dims } = required(inputs, 0);
    const { begin } = padsOf(inputs, attrs);
    if (inputs[2] && !inputs[2].constant) return undefined;
    const maps: AxisMap[] = out.map((extent, axis) =>
      Array.from({ length: extent }, (_, i) => paddedIndex(i - (begin[axis] as number), dims[axis] as number, attrs.mode)),
    );
    return single(mapped(dims, out, maps, inputs[2]?.constant?.[0] ?? attrs.value));
  },
});

const expand = defineMovement({
  type: "Expand",
  since: 8,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  integers: [1],
  parse: noAttrs,
  shapes(inputs) {
    const { dims } = required(inputs, 0);
    const wanted = constantInts(required(inputs, 1), 1);
    const out = broadcastShapes(dims, wanted);
    if (!out) throw shapeError(`${formatShape(dims)} does not expand to ${formatShape(wanted)}`);
    return [out];
  },
  movement(inputs, [out = []]) {
    const { dims } = required(inputs, 0);
    const padded = [...new Array<number>(out.length - dims.length).fill(1), ...dims];
    const inStrides = stridesOf(padded).map((stride, i) => (padded[i] === 1 ? 0 : stride));
    return [
      { regions: sizeOf(out) === 0 ? [] : [{ input: 0, inOffset: 0, inStrides, outOffset: 0, outStrides: stridesOf(out), dims: out }] },
    ];
  },
});

const tile = defineMovement({
  type: "Tile",
  since: 6,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  integers: [1],
  parse: noAttrs,
  shapes(inputs) {
    const { dims } = required(inputs, 0);
    const repeats = constantInts(required(inputs, 1), 1);
    if (repeats.length !== dims.length || repeats.some((r) => r < 0))
      throw shapeError(`repeats [${repeats.join(", ")}] do not fit rank ${dims.length}`);
    return [dims.map((dim, i) => dim * (repeats[i] as number))];
  },
  movement(inputs, [out = []]) {
    const { dims } = required(inputs, 0);
    const own = stridesOf(dims);
    const strides = stridesOf(out);
    const levels = out.map((extent, i) => [extent / (dims[i] as number), dims[i] as number]);
    if (sizeOf(out) === 0) return [{ regions: [] }];
    return [
      {
        regions: [
          {
            input: 0,
            inOffset: 0,
            outOffset: 0,
            dims: levels.flat(),
            inStrides: own.flatMap((stride) => [0, stride]),
            outStrides: strides.flatMap((stride, i) => [stride * (dims[i] as number), stride]),
          },
        ],
      },
    ];
  },
});

function blocksOf(inputs: Infos, block: number): readonly [n: number, c: number, h: number, w: number] {
  const { dims } = required(inputs, 0);
  if (dims.length !== 4) throw shapeError(`input 0 has rank ${dims.length} ${formatShape(dims)}, expected rank 4`);
  if (block < 1) throw attributeError("blocksize", `found ${block}, expected at least 1`);
  return dims as unknown as readonly [number, number, number, number];
}

const depthToSpace = defineMovement({
  type: "DepthToSpace",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: (attrs, opset) => readAttrs(attrs, { blocksize: int(), mode: opset >= 11 ? oneOf("DCR", "CRD") : () => "DCR" as const }),
  shapes(inputs, { blocksize }) {
    const [n, c, h, w] = blocksOf(inputs, blocksize);
    if (c % blocksize ** 2 !== 0) throw shapeError(`${c} channels are not divisible by ${blocksize ** 2}`);
    return [[n, c / blocksize ** 2, h * blocksize, w * blocksize]];
  },
  movement(inputs, _outputs, { blocksize: b, mode }) {
    const [n, c, h, w] = blocksOf(inputs, b);
    const channels = c / (b * b);
    return [
      mode === "DCR" ? permuted([n, b, b, channels, h, w], [0, 3, 4, 1, 5, 2]) : permuted([n, channels, b, b, h, w], [0, 1, 4, 2, 5, 3]),
    ];
  },
});

const spaceToDepth = defineMovement({
  type: "SpaceToDepth",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { blocksize: int() }),
  shapes(inputs, { blocksize: b }) {
    const [n, c, h, w] = blocksOf(inputs, b);
    if (h % b !== 0 || w % b !== 0) throw shapeError(`the extents ${h} and ${w} are not divisible by ${b}`);
    return [[n, c * b * b, h / b, w / b]];
  },
  movement(inputs, _outputs, { blocksize: b }) {
    const [n, c, h, w] = blocksOf(inputs, b);
    return [permuted([n, c, h / b, b, w / b, b], [0, 3, 5, 1, 2, 4])];
  },
});

export const REARRANGEMENTS: readonly OpDef[] = [transpose, concat, split, slice, pad, expand, tile, depthToSpace, spaceToDepth];
