/** Depthwise convolutions of float32 with constant weights: one plane at a time, padded in scratch. */
import { convDescriptor } from "../../kernels/floatArgs.ts";
import type { ConvGeometry } from "../../ops/op.ts";
import type { Resolved } from "../operands.ts";
import { type FloatContext, read, write } from "./context.ts";

const LANES = 4;
const SLACK_BYTES = 32; // what the last vector of inputs may reach behind the last one it needs

/** Whether it is one: an input channel per group, at most two spatial axes. */
export function isDepthwise({ groups, inChannels, spatial, transposed }: ConvGeometry): boolean {
  return !transposed && groups > 1 && inChannels === groups && spatial.length <= 2;
}

/** Emits the convolution; its weights are finite. */
export function emitDepthwise({ node }: Resolved, geometry: ConvGeometry, biasId: string, f: FloatContext): void {
  const { batch, groups, spatial } = geometry;
  const across = spatial.at(-1)!;
  const down = spatial.length > 1 ? spatial[0]! : { out: 1, window: 1, stride: 1, dilation: 1 };
  const reach = (axis: { window: number; stride: number; dilation: number }, outputs: number): number =>
    (outputs - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1;
  const width = Math.max(across.padBegin + across.size, reach(across, Math.max(across.out, LANES)));
  const pitch = 4 * width + SLACK_BYTES;
  const fields = {
    input: read(f, node.inputs[0]!),
    weight: read(f, node.inputs[1]!),
    bias: biasId === "" ? 0 : read(f, biasId),
    output: write(f, node.outputs[0]!),
    geometry: f.lowering.constant(convDescriptor(geometry)),
    plane: f.lowering.buffer(reach(down, down.out) * pitch),
    pitch,
  };
  f.lowering.emit("depthwise_f32", fields, batch * groups, node.id);
}
