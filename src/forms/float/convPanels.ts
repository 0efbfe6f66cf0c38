/** Convolutions with constant weights as products of rows with packed panels: lanes hold output channels, whatever the image's size. */
import { isConstant } from "../../graph/graph.ts";
import { convDescriptor } from "../../kernels/floatArgs.ts";
import { HALF_PANEL_BYTES, PANEL_BYTES, packColumns, panelsOf } from "../../kernels/recurrent.ts";
import type { ConvGeometry } from "../../ops/op.ts";
import { constantNumbers, type Resolved } from "../operands.ts";
import { emitFloat, type FloatContext, read, write } from "./context.ts";
import { emitConvPixels, pixelProducts } from "./convPixels.ts";
import { emitDepthwise, isDepthwise } from "./depthwise.ts";

/** Output channels of a group below which too many lanes stay empty; a transposed convolution has no lanes in its own kernel. */
const LEAST_CHANNELS = 8;
const MOST_GROUPS = 32;
/** Bytes of unfolded rows that are kept at once: they fit the second cache beside the weights. */
const CHUNK_BYTES = 1 << 17;
const LEAST_PIXELS = 8;
/** How many products a tile with pixels in its lanes does while one with channels does one: its inputs and results need no transposing. */
const PIXEL_GAIN = 1.25;

/** Emits the convolution; false where its own kernel serves better, or where padded taps may not be multiplied (weights that are not finite). */
export function lowerConvPanels(resolved: Resolved, geometry: ConvGeometry, biasId: string, f: FloatContext): boolean {
  const { node } = resolved;
  const { batch, groups, inChannels, outChannels, spatial, transposed } = geometry;
  const [columns, channels] = [outChannels / groups, inChannels / groups];
  const weightId = node.inputs[1]!;
  const fills = columns >= LEAST_CHANNELS || (transposed && groups <= MOST_GROUPS);
  const single = f.precision === "f32" && !transposed;
  const planes = single && isDepthwise(geometry);
  const fillsPixels = single && columns > 1;
  if (!(fills || fillsPixels || planes) || !isConstant(f.graph, weightId)) return false;
  const weights = constantNumbers(f.graph, weightId, f.precision).data;
  if (!weights.every(Number.isFinite)) return false;
  if (planes) {
    emitDepthwise(resolved, geometry, biasId, f);
    return true;
  }
  const taps = spatial.reduce((product, { window }) => product * window, 1);
  const pixels = spatial.reduce((product, { out }) => product * out, 1);
  const depth = channels * taps;
  const panel = columns * f.bytes <= HALF_PANEL_BYTES ? HALF_PANEL_BYTES : PANEL_BYTES;
  const panels = panel === HALF_PANEL_BYTES ? 1 : panelsOf(columns, f.bytes);
  const inPanels = (pixels * panels * panel) / f.bytes;
  if (fillsPixels && (!fills || pixelProducts(geometry) < PIXEL_GAIN * inPanels)) {
    emitConvPixels(resolved, geometry, weights as Float32Array, biasId, f);
    return true;
  }
  const chunk = Math.min(pixels, Math.max(LEAST_PIXELS, Math.floor(CHUNK_BYTES / (depth * f.bytes))));
  const w = f.lowering.weights(`${f.precision}:conv:${transposed}:${groups}:${weightId}`, () => {
    const size = (panels * panel * depth) / f.bytes;
    const target = f.precision === "f32" ? new Float32Array(groups * size) : new Float64Array(groups * size);
    for (let group = 0; group < groups; group++)
      packColumns(columnsOf(geometry, weights, group, taps), depth, columns, panel, target.subarray(group * size, (group + 1) * size));
    return target;
  });
  const fields = {
    input: read(f, node.inputs[0]!),
    w,
    panel,
    panels,
    bias: biasId === "" ? 0 : read(f, biasId),
    output: write(f, node.outputs[0]!),
    geometry: f.lowering.constant(convDescriptor(geometry)),
    rows: f.lowering.buffer(chunk * depth * f.bytes),
    products: f.lowering.buffer(chunk * panels * panel),
    chunk,
  };
  emitFloat(f, "conv_panels", fields, batch * groups, node.id);
  return true;
}

/** Weight of output channel `column`, input channel c and tap t of a group, at column·depth + c·taps + t. */
function columnsOf(
  { groups, inChannels, outChannels, transposed }: ConvGeometry,
  weights: Float32Array | Float64Array,
  group: number,
  taps: number,
) {
  const [columns, channels] = [outChannels / groups, inChannels / groups];
  const depth = channels * taps;
  if (!transposed) return weights.subarray(group * columns * depth, (group + 1) * columns * depth);
  const out = new Float64Array(columns * depth);
  for (let c = 0; c < channels; c++)
    for (let o = 0; o < columns; o++)
      for (let t = 0; t < taps; t++) out[o * depth + c * taps + t] = weights[((group * channels + c) * columns + o) * taps + t]!;
  return out;
}
