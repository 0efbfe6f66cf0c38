/** GridSample and AffineGrid: positions first, then what lies there. */
import { shapeOf } from "../../graph/graph.ts";
import { SAMPLE } from "../../kernels/floatModes.ts";
import { affinePositions } from "../../ops/gridSample.ts";
import { sizeOf, stridesOf } from "../../tensor/shape.ts";
import { constantNumbers } from "../operands.ts";
import { attribute, textAttribute } from "./attributes.ts";
import type { Composite } from "./composites.ts";
import { constantOf, emitFloat, read, readAs, scratch, write } from "./context.ts";
import * as step from "./steps.ts";

const MOST_AXES = 3;

/** Taps of each position, shared by the channels; then each channel's sums. */
const gridSample: Composite = ({ node, attrs }, f) => {
  const [id, gridId] = node.inputs as [string, string];
  const output = node.outputs[0]!;
  const dims = shapeOf(f.graph, id);
  const [batches, channels] = dims as [number, number];
  const spatial = dims.slice(2);
  const rank = spatial.length;
  if (rank > MOST_AXES) return false;
  const points = sizeOf(shapeOf(f.graph, output).slice(2));
  const mode = SAMPLE.mode[textAttribute(attrs, "mode") as keyof typeof SAMPLE.mode];
  const taps = SAMPLE.taps[mode];
  const slots = batches * points * rank * taps;
  const places = { offsets: f.lowering.buffer(4 * slots), weights: scratch(f, slots), rank };
  const strides = stridesOf(spatial);
  const found = {
    ...places,
    grid: readAs(f, gridId, "f64"),
    axes: f.lowering.constant(Int32Array.from(spatial.flatMap((extent, axis) => [extent, strides[axis]!]))),
    mode,
    padding: SAMPLE.padding[textAttribute(attrs, "padding") as keyof typeof SAMPLE.padding],
    aligned: attribute(attrs, "aligned"),
  };
  emitFloat(f, "sample_taps", found, batches * points, node.id);
  const fields = { ...places, input: read(f, id), output: write(f, output), plane: sizeOf(spatial), points, channels, taps };
  emitFloat(f, "sample", fields, batches * channels, node.id);
  return true;
};

/** positions · thetaᵀ per image: the positions, which end in 1, follow from the size. */
const affineGrid: Composite = ({ node, attrs }, f) => {
  const [theta, sizeId] = node.inputs as [string, string];
  const spatial = Array.from(constantNumbers(f.graph, sizeId, "f64").data).slice(2);
  const rank = spatial.length;
  const points = sizeOf(spatial);
  const batches = shapeOf(f.graph, theta)[0]!;
  const positions = constantOf(f, affinePositions(spatial, attribute(attrs, "align_corners") === 1, f.precision));
  const each = (size: number): number[] => Array.from({ length: batches }, (_, n) => n * size);
  const geometry = {
    kind: "matmul",
    m: points,
    n: rank,
    k: rank + 1,
    aOffsets: each(0),
    bOffsets: each(rank * (rank + 1)),
    cOffsets: each(points * rank),
    aStrides: [rank + 1, 1],
    bStrides: [1, rank + 1],
  } as const;
  step.matmul(f, node.id, geometry, positions, read(f, theta), write(f, node.outputs[0]!));
  return true;
};

/** By operator name. */
export const SAMPLES: Readonly<Record<string, Composite>> = { GridSample: gridSample, AffineGrid: affineGrid };
