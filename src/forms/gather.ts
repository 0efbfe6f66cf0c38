/** Form of rows picked by computed indices: codes are copied as they are, or requantized through an exact table where the grids differ. */
import { type Encoding, sameEncoding } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import { sizeOf } from "../tensor/shape.ts";
import { levelsOf, type Quotient, quotientOf, requantizeCode } from "./codes.ts";
import { type Codes, defineForm, type Layer } from "./form.ts";
import { judgeByTarget } from "./judge.ts";
import { activationEncoding, constantNumbers, type Resolved, resolve } from "./operands.ts";
import { quantizeNumbers } from "./quantizeNumbers.ts";
import { emitTable } from "./tableLower.ts";

export interface GatherData {
  readonly node: string;
  readonly data: ValueId;
  readonly indices: ValueId;
  readonly output: ValueId;
  readonly outer: number;
  readonly extent: number;
  readonly inner: number;
  readonly from: Encoding | null; // null: a float constant, quantized on the output's grid
  readonly to: Encoding;
}

/** Extents of a gather: rows of `inner` elements, `extent` of them in each of `outer` slices. Null when the node is none. */
export function gatherExtents({ node, def, attrs, infos }: Resolved): { outer: number; extent: number; inner: number } | null {
  const axisOf = def.traits.gather;
  const data = infos[0];
  if (!axisOf || !data || infos[1]?.constant || node.outputs.length !== 1) return null;
  const { dims } = data;
  const axis = axisOf(attrs) < 0 ? axisOf(attrs) + dims.length : axisOf(attrs);
  return { outer: sizeOf(dims.slice(0, axis)), extent: dims[axis]!, inner: sizeOf(dims.slice(axis + 1)) };
}

export const gatherForm = defineForm<GatherData>({
  name: "gather",
  match,
  reference: (data, _layer, graph, inputs, target) => [referenceOf(data, graph, inputs, quotientOf(target))],
  lower: (data, _layer, ctx) => lower(data, ctx),
  judge: (_data, layer, graph, inputs, source, target) => judgeByTarget(layer, graph, inputs, source, target),
});

function match(layer: Layer, graph: Graph): GatherData | null {
  const [node] = layer.nodes;
  if (layer.island || layer.nodes.length !== 1 || !node) return null;
  const resolved = resolve(node, graph);
  const extents = resolved && gatherExtents(resolved);
  const to = activationEncoding(graph, node.outputs[0]!);
  const [data, indices] = node.inputs;
  if (!extents || !to || !data || !indices || !layer.inputs.includes(indices)) return null;
  const from = isConstant(graph, data) ? null : activationEncoding(graph, data);
  if (!isConstant(graph, data) && !from) return null;
  return { node: node.id, data, indices, output: node.outputs[0]!, ...extents, from: from ?? null, to };
}

/** Codes of the rows on the output's grid, before they are picked. */
function rowCodes({ data, from, to }: GatherData, graph: Graph, inputs: Codes, quotient: Quotient): ArrayLike<number> {
  if (!from) return quantizeNumbers(constantNumbers(graph, data, "f64"), levelsOf(to), quotient).data;
  const codes = inputs.get(data)!.data;
  if (sameEncoding(from, to)) return codes;
  return Float64Array.from(codes, (q) => requantizeCode(q, levelsOf(from), levelsOf(to), quotient));
}

function referenceOf(gather: GatherData, graph: Graph, inputs: Codes, quotient: Quotient): Numbers {
  const { outer, extent, inner } = gather;
  const rows = rowCodes(gather, graph, inputs, quotient);
  const indices = inputs.get(gather.indices)!.data;
  const dims = shapeOf(graph, gather.output);
  const data = new Float64Array(sizeOf(dims));
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indices) {
      const row = Math.max(0, Math.min(index < 0 ? index + extent : index, extent - 1));
      for (let i = 0; i < inner; i++) data[at++] = rows[(o * extent + row) * inner + i]!;
    }
  }
  return { dims, data };
}

function lower(gather: GatherData, ctx: Lowering): void {
  const { node, from, to, data, outer, extent, inner } = gather;
  const target = ctx.storage(to);
  const count = sizeOf(shapeOf(ctx.graph, gather.indices));
  const same = !from || sameEncoding(from, to);
  const storage = from && !same ? ctx.storage(from) : target;
  const source = from ? ctx.input(data, "rowMajor") : constantRows(gather, ctx);
  const output = ctx.output(gather.output, "rowMajor");
  const picked: Ref = same ? output : ctx.buffer(outer * count * inner * storage.bytes);
  const fields = {
    input: source,
    indices: ctx.input(gather.indices, "rowMajor"),
    output: picked,
    count,
    extent,
    run: inner * storage.bytes,
  };
  ctx.emit("gather_rows", fields, outer, node);
  if (same) return;
  const rows = { storage, levels: levelsOf(from), ref: picked };
  const size = outer * count * inner;
  emitTable(
    node,
    rows,
    { storage: target, ref: output },
    (q) => requantizeCode(q, rows.levels, levelsOf(to), quotientOf(ctx.target)),
    size,
    ctx,
  );
}

/** The constant as stored codes of the output's grid; shared by the session's plans. */
function constantRows({ data, to }: GatherData, ctx: Lowering): Ref {
  const { bytes, shift } = ctx.storage(to);
  return ctx.weights(`${data}:rows:${to.type}:${to.scale[0]}:${to.zeroPoint[0]}`, () => {
    const codes = quantizeNumbers(constantNumbers(ctx.graph, data, "f64"), levelsOf(to), quotientOf(ctx.target)).data;
    const stored = Array.from(codes, (code) => code + shift);
    return bytes === 1 ? Uint8Array.from(stored) : Uint16Array.from(stored);
  });
}
