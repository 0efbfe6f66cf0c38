/** Form of data movement between encoded values: strided copies of codes, through exact tables where the encodings differ. */
import { type Encoding, sameEncoding } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId } from "../graph/graph.ts";
import { copyDescriptor } from "../kernels/elementwiseArgs.ts";
import type { Movement, Numbers, Region } from "../ops/op.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import type { Layout } from "../plan/plan.ts";
import { layoutsCoincide } from "../plan/storage.ts";
import { sizeOf } from "../tensor/shape.ts";
import { codeIn, levelsOf, type Quotient, quotientOf, requantizeCode } from "./codes.ts";
import { type Codes, defineForm, type Layer } from "./form.ts";
import { judgeByTarget } from "./judge.ts";
import { withinLimits } from "./limits.ts";
import { activationEncoding, constantNumbers, resolve } from "./operands.ts";
import { quantizeNumbers } from "./quantizeNumbers.ts";
import { applyMovement, regionsOf, runLength, walkIn } from "./regions.ts";
import { emitTable } from "./tableLower.ts";

/** One output that leaves: where its elements come from. */
interface Moved {
  readonly output: ValueId;
  readonly movement: Movement;
  readonly inputs: readonly ValueId[];
  readonly encoding: Encoding;
}

export interface MovementData {
  readonly node: string;
  readonly moved: readonly Moved[];
}

export const movementForm = defineForm<MovementData>({
  name: "movement",
  match,
  reference: (data, _layer, graph, inputs, target) => data.moved.map((moved) => referenceOf(moved, graph, inputs, quotientOf(target))),
  lower: (data, _layer, ctx) => {
    withinLimits(data.node, () => {
      for (const moved of data.moved) lowerMoved(data.node, moved, ctx);
    });
  },
  judge: (_data, layer, graph, inputs, source, target) => judgeByTarget(layer, graph, inputs, source, target),
});

function match(layer: Layer, graph: Graph): MovementData | null {
  const [node] = layer.nodes;
  if (layer.island || layer.nodes.length !== 1 || !node) return null;
  const resolved = resolve(node, graph);
  const movements = resolved?.def.traits.movement?.(resolved.infos, resolved.outShapes, resolved.attrs);
  if (!movements) return null;
  const moved: Moved[] = [];
  for (const output of layer.outputs) {
    const movement = movements[node.outputs.indexOf(output)];
    const encoding = activationEncoding(graph, output);
    if (!movement || !encoding) return null;
    const read = movement.alias === undefined ? movement.regions.map((region) => region.input) : [movement.alias];
    const inputs = node.inputs;
    if (!read.every((i) => isConstant(graph, inputs[i]!) || activationEncoding(graph, inputs[i]!))) return null;
    moved.push({ output, movement, inputs, encoding });
  }
  return { node: node.id, moved };
}

/** Codes of one input on the output's grid. */
function requantized(id: ValueId, moved: Moved, graph: Graph, inputs: Codes, quotient: Quotient): ArrayLike<number> {
  const to = levelsOf(moved.encoding);
  if (isConstant(graph, id)) return quantizeNumbers(constantNumbers(graph, id, "f64"), to, quotient).data;
  const from = activationEncoding(graph, id)!;
  const codes = inputs.get(id)!.data;
  if (sameEncoding(from, moved.encoding)) return codes;
  const grid = levelsOf(from);
  return Float64Array.from(codes, (q) => requantizeCode(q, grid, to, quotient));
}

function referenceOf(moved: Moved, graph: Graph, inputs: Codes, quotient: Quotient): Numbers {
  const dims = shapeOf(graph, moved.output);
  const { movement } = moved;
  const read = new Set(movement.alias === undefined ? movement.regions.map((region) => region.input) : [movement.alias]);
  const sources = moved.inputs.map((id, i) => (read.has(i) ? requantized(id, moved, graph, inputs, quotient) : null));
  const data = new Float64Array(sizeOf(dims));
  applyMovement(movement, sources, data, codeIn(quotient, movement.fill ?? 0, levelsOf(moved.encoding)));
  return { dims, data };
}

function lowerMoved(node: string, moved: Moved, ctx: Lowering): void {
  const { movement, output, encoding } = moved;
  if (movement.alias !== undefined) {
    const input = moved.inputs[movement.alias]!;
    const from = activationEncoding(ctx.graph, input);
    const inPlace = ctx.layoutOf(input) === "rowMajor" || layoutsCoincide(shapeOf(ctx.graph, input));
    if (from && !isConstant(ctx.graph, input) && sameEncoding(from, encoding) && inPlace) {
      ctx.alias(output, input);
      return;
    }
  }
  const shape = shapeOf(ctx.graph, output);
  const regions = movement.alias === undefined ? movement.regions : regionsOf(movement, shapeOf(ctx.graph, moved.inputs[movement.alias]!));
  const layouts = chooseLayouts(moved, regions, shape, ctx);
  if (liesStill(moved, regions, layouts, ctx)) {
    const [{ input }] = regions as [Region];
    ctx.alias(output, moved.inputs[input]!, layouts.inputs[input], layouts.output);
    return;
  }
  const { bytes, shift } = ctx.storage(encoding);
  const sources = moved.inputs.map((id, i) =>
    regions.some((region) => region.input === i) ? source(node, id, moved, layouts.inputs[i]!, ctx) : null,
  );
  const to = ctx.output(output, layouts.output);
  if (movement.alias === undefined && regions.reduce((sum, region) => sum + sizeOf(region.dims), 0) < sizeOf(shape)) {
    const low = codeIn(quotientOf(ctx.target), movement.fill ?? 0, levelsOf(encoding)) + shift;
    ctx.emit("fill", { output: to, size: bytes, low, high: 0 }, sizeOf(shape), node);
  }
  for (const region of regions) {
    const inShape = shapeOf(ctx.graph, moved.inputs[region.input]!);
    emitCopy(
      node,
      region,
      { ref: sources[region.input]!, shape: inShape, layout: layouts.inputs[region.input]! },
      { ref: to, shape, layout: layouts.output },
      bytes,
      ctx,
    );
  }
}

/** Whether one region takes every byte of an input, in order, to every byte of the output: channels moved last of what then lies channels last. */
function liesStill(moved: Moved, regions: readonly Region[], layouts: { inputs: Layout[]; output: Layout }, ctx: Lowering): boolean {
  const [region] = regions;
  if (regions.length !== 1 || !region) return false;
  const id = moved.inputs[region.input]!;
  const shape = shapeOf(ctx.graph, moved.output);
  const inShape = shapeOf(ctx.graph, id);
  const size = sizeOf(shape);
  if (isConstant(ctx.graph, id) || sizeOf(region.dims) !== size || sizeOf(inShape) !== size) return false;
  if (!sameEncoding(activationEncoding(ctx.graph, id)!, moved.encoding)) return false;
  const from = walkIn(layouts.inputs[region.input]!, inShape, { offset: region.inOffset, strides: region.inStrides }, region.dims);
  const to = walkIn(layouts.output, shape, { offset: region.outOffset, strides: region.outStrides }, region.dims);
  return from?.offset === 0 && to?.offset === 0 && runLength(from, to, region.dims) === size;
}

interface Place {
  readonly ref: Ref;
  readonly shape: readonly number[];
  readonly layout: Layout;
}

/** One copy_strided of a region between two places; `size` bytes an element. */
export function emitCopy(node: string, region: Region, from: Place, to: Place, size: number, ctx: Lowering): void {
  if (sizeOf(region.dims) === 0) return;
  const read = walkIn(from.layout, from.shape, { offset: region.inOffset, strides: region.inStrides }, region.dims)!;
  const write = walkIn(to.layout, to.shape, { offset: region.outOffset, strides: region.outStrides }, region.dims)!;
  const { words, rank, units } = copyDescriptor(region.dims, read.strides, write.strides, size);
  const fields = {
    input: ctx.at(from.ref, read.offset * size),
    output: ctx.at(to.ref, write.offset * size),
    rank,
    shape: ctx.constant(words),
    size,
  };
  ctx.emit("copy_strided", fields, units, node);
}

/** Each input is read where it lies when all its regions can be; the output lies where the copies run longest, ties as the inputs lie. */
function chooseLayouts(
  moved: Moved,
  regions: readonly Region[],
  shape: readonly number[],
  ctx: Lowering,
): { inputs: Layout[]; output: Layout } {
  const inputs = moved.inputs.map((id, i): Layout => {
    if (id === "" || isConstant(ctx.graph, id) || !regions.some((region) => region.input === i)) return "rowMajor";
    const inShape = shapeOf(ctx.graph, id);
    const layout = ctx.layoutOf(id);
    const walks = regions.every(
      (r) => r.input !== i || sizeOf(r.dims) === 0 || walkIn(layout, inShape, { offset: r.inOffset, strides: r.inStrides }, r.dims),
    );
    return walks ? layout : "rowMajor";
  });
  const cost = (layout: Layout): number => {
    let sum = 0;
    for (const region of regions) {
      const size = sizeOf(region.dims);
      if (size === 0) continue;
      const to = walkIn(layout, shape, { offset: region.outOffset, strides: region.outStrides }, region.dims);
      if (!to) return Number.POSITIVE_INFINITY;
      const inShape = shapeOf(ctx.graph, moved.inputs[region.input]!);
      const from = walkIn(inputs[region.input]!, inShape, { offset: region.inOffset, strides: region.inStrides }, region.dims)!;
      sum += size / Math.min(16, runLength(from, to, region.dims));
    }
    return sum;
  };
  const lastLies = inputs.includes("channelsLast");
  const rowMajor = cost("rowMajor");
  const channelsLast = shape.length > 2 ? cost("channelsLast") : Number.POSITIVE_INFINITY;
  const last = lastLies && shape.length > 2 ? channelsLast <= rowMajor : channelsLast < rowMajor;
  return { inputs, output: last ? "channelsLast" : "rowMajor" };
}

/** The stored codes of an input on the output's grid, in `layout`. */
function source(node: string, id: ValueId, moved: Moved, layout: Layout, ctx: Lowering): Ref {
  const to = ctx.storage(moved.encoding);
  if (isConstant(ctx.graph, id)) {
    const { data } = quantizeNumbers(constantNumbers(ctx.graph, id, "f64"), levelsOf(moved.encoding), quotientOf(ctx.target));
    const stored = Array.from(data, (q) => q + to.shift);
    return ctx.constant(to.bytes === 1 ? Uint8Array.from(stored) : Uint16Array.from(stored));
  }
  const encoding = activationEncoding(ctx.graph, id)!;
  const input = ctx.input(id, layout);
  if (sameEncoding(encoding, moved.encoding)) return input;
  const buffer = ctx.buffer(sizeOf(shapeOf(ctx.graph, id)) * to.bytes);
  emitRequantize(node, input, encoding, buffer, moved.encoding, sizeOf(shapeOf(ctx.graph, id)), ctx);
  return buffer;
}

/** One table kernel that carries `size` codes from one encoding over to another. */
export function emitRequantize(node: string, input: Ref, from: Encoding, output: Ref, to: Encoding, size: number, ctx: Lowering): void {
  const storage = ctx.storage(from);
  const grid = levelsOf(from);
  const levels = levelsOf(to);
  const target = { storage: ctx.storage(to), ref: output };
  emitTable(node, { storage, levels: grid, ref: input }, target, (q) => requantizeCode(q, grid, levels, quotientOf(ctx.target)), size, ctx);
}
