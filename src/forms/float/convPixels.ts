/** Convolutions of float32 with constant weights whose lanes hold output pixels: images large enough to fill them. */
import { convDescriptor } from "../../kernels/floatArgs.ts";
import { packColumns } from "../../kernels/recurrent.ts";
import type { ConvGeometry } from "../../ops/op.ts";
import type { Resolved } from "../operands.ts";
import { type FloatContext, read, write } from "./context.ts";

/** The tile: output channels by output pixels. */
const TILE_COLUMNS = 4;
const TILE_PIXELS = 8;
/** Bytes of panels that are kept at once: they fit the second cache beside the weights. */
const CHUNK_BYTES = 1 << 17;

const tiled = (count: number, tile: number): number => Math.ceil(count / tile) * tile;
const product = (numbers: readonly number[]): number => numbers.reduce((all, n) => all * n, 1);

/** Products that fill a tile where `columns` channels of a group and all pixels are padded to whole tiles. */
export function pixelProducts({ groups, outChannels, spatial }: ConvGeometry): number {
  return tiled(outChannels / groups, TILE_COLUMNS) * tiled(product(spatial.map(({ out }) => out)), TILE_PIXELS);
}

/** Emits the convolution, which is not transposed; `weights` are finite. */
export function emitConvPixels({ node }: Resolved, geometry: ConvGeometry, weights: Float32Array, biasId: string, f: FloatContext): void {
  const { batch, groups, inChannels, outChannels, spatial } = geometry;
  const columns = outChannels / groups;
  const depth = (inChannels / groups) * product(spatial.map(({ window }) => window));
  const pixels = product(spatial.map(({ out }) => out));
  const w = f.lowering.weights(`f32:pixels:${groups}:${node.inputs[1]!}`, () => {
    const size = tiled(columns, TILE_COLUMNS) * depth;
    const target = new Float32Array(groups * size);
    for (let group = 0; group < groups; group++) {
      const source = weights.subarray(group * columns * depth, (group + 1) * columns * depth);
      packColumns(source, depth, columns, 4 * TILE_COLUMNS, target.subarray(group * size, (group + 1) * size));
    }
    return target;
  });
  const panelBytes = depth * 4 * TILE_PIXELS;
  const chunk = TILE_PIXELS * Math.min(Math.ceil(pixels / TILE_PIXELS), Math.max(1, Math.floor(CHUNK_BYTES / panelBytes)));
  const fields = {
    input: read(f, node.inputs[0]!),
    w,
    bias: biasId === "" ? 0 : read(f, biasId),
    output: write(f, node.outputs[0]!),
    geometry: f.lowering.constant(convDescriptor(asLine(geometry))),
    panels: f.lowering.buffer((chunk / TILE_PIXELS) * panelBytes),
    chunk,
  };
  f.lowering.emit("conv_pixels_f32", fields, batch * groups, node.id);
}

/** A window of one tap that takes every input has no lines: the image is a single one. */
function asLine(geometry: ConvGeometry): ConvGeometry {
  const { spatial } = geometry;
  if (!spatial.every(({ window, stride, padBegin, size, out }) => window === 1 && stride === 1 && padBegin === 0 && size === out))
    return geometry;
  const size = product(spatial.map((axis) => axis.size));
  return { ...geometry, spatial: [{ size, out: size, window: 1, stride: 1, dilation: 1, padBegin: 0 }] };
}
