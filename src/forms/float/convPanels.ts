/** Convolutions with constant weights as products of rows with packed panels: lanes hold output channels, whatever the image's size. */
import { isConstant } from "../../graph/graph.ts";
import { convDescriptor } from "../../kernels/floatArgs.ts";
import { HALF_PANEL_BYTES, PANEL_BYTES, packColumns, panelsOf } from "../../kernels/recurrent.ts";
import type { ConvGeometry } from "../../ops/op.ts";
import type { Ref } from "../../plan/lowering.ts";
import { constantNumbers, type Resolved } from "../operands.ts";
import { emitFloat, type FloatContext, read, write } from "./context.ts";

/** Output channels of a group below which too many lanes stay empty; a transposed convolution has no lanes in its own kernel. */
const LEAST_CHANNELS = 8;
const MOST_GROUPS = 32;
/** Bytes of unfolded rows above which an image is large enough for lanes along its lines, which the kernel of its own has. */
const MOST_BYTES = 1 << 21;

/** Emits the convolution; false where its own kernel serves better, or where padded taps may not be multiplied (weights that are not finite). */
export function lowerConvPanels({ node }: Resolved, geometry: ConvGeometry, biasId: string, f: FloatContext): boolean {
  const { batch, groups, inChannels, outChannels, spatial, transposed } = geometry;
  const [columns, channels] = [outChannels / groups, inChannels / groups];
  const weightId = node.inputs[1]!;
  const fills = columns >= LEAST_CHANNELS || (transposed && groups <= MOST_GROUPS);
  if (!fills || !isConstant(f.graph, weightId)) return false;
  const weights = constantNumbers(f.graph, weightId, f.precision).data;
  if (!weights.every(Number.isFinite)) return false;
  const taps = spatial.reduce((product, { window }) => product * window, 1);
  const pixels = spatial.reduce((product, { out }) => product * out, 1);
  if (pixels * channels * taps * f.bytes > MOST_BYTES) return false;
  const inPixels = spatial.reduce((product, { size }) => product * size, 1);
  const depth = channels * taps;
  const panel = columns * f.bytes <= HALF_PANEL_BYTES ? HALF_PANEL_BYTES : PANEL_BYTES;
  const panels = panel === HALF_PANEL_BYTES ? 1 : panelsOf(columns, f.bytes);
  const input = read(f, node.inputs[0]!);
  const bias = biasId === "" ? null : read(f, biasId);
  const output = write(f, node.outputs[0]!);
  const words = f.lowering.constant(convDescriptor(geometry));
  const rows = f.lowering.buffer(pixels * depth * f.bytes);
  const products = f.lowering.buffer(pixels * panels * panel);
  const at = (ref: Ref, elements: number): Ref => f.lowering.at(ref, elements * f.bytes);
  for (let group = 0; group < groups; group++) {
    const w = f.lowering.weights(`${f.precision}:conv:${groups}:${group}:${geometry.transposed}:${weightId}`, () => {
      const target = new (f.precision === "f32" ? Float32Array : Float64Array)((panels * panel * depth) / f.bytes);
      packColumns(columnsOf(geometry, weights, group, taps), depth, columns, panel, target);
      return target;
    });
    for (let image = 0; image < batch; image++) {
      const from = at(input, (image * inChannels + group * channels) * inPixels);
      const to = at(output, (image * outChannels + group * columns) * pixels);
      const sizes = { lda: depth * f.bytes, panel, ldc: panels * panel, k: depth, rows: pixels };
      emitFloat(f, "unfold", { input: from, output: rows, geometry: words }, pixels, node.id);
      emitFloat(f, "panels", { a: rows, w, output: products, ...sizes }, panels, node.id);
      const shift = bias ? at(bias, group * columns) : 0;
      emitFloat(f, "planes", { input: products, lda: panels * panel, bias: shift, output: to, pixels }, columns, node.id);
    }
  }
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
