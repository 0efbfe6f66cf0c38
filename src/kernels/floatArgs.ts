/** Descriptors of the float kernels. */
import type { Axis } from "./elementwiseArgs.ts";

/** Geometry words of conv_*; `spatial` holds 1 to 3 axes (src/ops/op.ts ConvGeometry). */
export function convDescriptor(geometry: {
  readonly batch: number;
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly spatial: readonly Axis[];
  readonly transposed: boolean;
}): Int32Array {
  const { batch, groups, inChannels, outChannels, spatial, transposed } = geometry;
  if (spatial.length > 3) throw new RangeError(`convolution has ${spatial.length} spatial axes, kernels take 3`);
  const words = [batch, groups, inChannels, outChannels, transposed ? 1 : 0];
  for (let i = spatial.length; i < 3; i++) words.push(1, 1, 1, 1, 1, 0);
  for (const { size, out, window, stride, dilation, padBegin } of spatial) words.push(size, out, window, stride, dilation, padBegin);
  return Int32Array.from(words);
}

/** Tables of resample_*: taps of each output index in ascending order (src/ops/resizeAxis.ts Taps). Weights are still doubles. */
export function resampleTaps(taps: readonly { readonly indices: readonly number[]; readonly weights: readonly number[] }[]): {
  readonly spans: Int32Array;
  readonly indices: Int32Array;
  readonly weights: Float64Array;
} {
  const spans = new Int32Array(2 * taps.length);
  let first = 0;
  for (const [o, { indices }] of taps.entries()) {
    spans[2 * o] = first;
    spans[2 * o + 1] = indices.length;
    first += indices.length;
  }
  return {
    spans,
    indices: Int32Array.from(taps.flatMap(({ indices }) => indices)),
    weights: Float64Array.from(taps.flatMap(({ weights }) => weights)),
  };
}
