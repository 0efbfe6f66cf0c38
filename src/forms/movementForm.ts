/** The movement form with its codes in TypeScript and its judge. */
import { sameEncoding } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import { sizeOf } from "../tensor/shape.ts";
import { codeOf, levelsOf, quantizeNumbers, requantizeCode } from "./codes.ts";
import { type Codes, defineForm } from "./form.ts";
import { judgeNodes, noDeviation } from "./judge.ts";
import { type Moved, type MovementData, movementCore } from "./movement.ts";
import { activationEncoding, constantNumbers } from "./operands.ts";
import { applyMovement } from "./regions.ts";

export const movementForm = defineForm<MovementData>({
  ...movementCore,
  reference: (data, _layer, graph, inputs) => data.moved.map((moved) => referenceOf(moved, graph, inputs)),
  judge: (_data, layer, graph, inputs, source) => judgeNodes(layer, graph, inputs, source, noDeviation),
});

/** Codes of one input on the output's grid. */
function requantized(id: ValueId, moved: Moved, graph: Graph, inputs: Codes): ArrayLike<number> {
  const to = levelsOf(moved.encoding);
  if (isConstant(graph, id)) return quantizeNumbers(constantNumbers(graph, id, "f64"), to).data;
  const from = activationEncoding(graph, id)!;
  const codes = inputs.get(id)!.data;
  if (sameEncoding(from, moved.encoding)) return codes;
  const grid = levelsOf(from);
  return Float64Array.from(codes, (q) => requantizeCode(q, grid, to));
}

function referenceOf(moved: Moved, graph: Graph, inputs: Codes): Numbers {
  const dims = shapeOf(graph, moved.output);
  const { movement } = moved;
  const read = new Set(movement.alias === undefined ? movement.regions.map((region) => region.input) : [movement.alias]);
  const sources = moved.inputs.map((id, i) => (read.has(i) ? requantized(id, moved, graph, inputs) : null));
  const data = new Float64Array(sizeOf(dims));
  applyMovement(movement, sources, data, codeOf(movement.fill ?? 0, levelsOf(moved.encoding)));
  return { dims, data };
}
