/** Einsum of up to four operands, by tables of where they lie. */
import { shapeOf } from "../../graph/graph.ts";
import { einsumTables } from "../../ops/einsum.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Composite } from "./composites.ts";
import { emitFloat, read, write } from "./context.ts";

const OPERANDS = 4;

/** Words of a table with one row per index and one column per operand. */
function interleaved(columns: readonly Int32Array[]): Int32Array {
  const length = columns[0]?.length ?? 0;
  const words = new Int32Array(length * columns.length);
  for (const [k, column] of columns.entries()) for (let i = 0; i < length; i++) words[i * columns.length + k] = column[i]!;
  return words;
}

export const einsum: Composite = ({ node, attrs }, f) => {
  const { inputs } = node;
  if (inputs.length > OPERANDS) return false;
  const { outer, inner } = einsumTables(
    attrs,
    inputs.map((id) => shapeOf(f.graph, id)),
  );
  const [a, b, c, d] = Array.from({ length: OPERANDS }, (_, i) => (inputs[i] ? read(f, inputs[i]) : 0));
  const fields = {
    a: a!,
    b: b!,
    c: c!,
    d: d!,
    output: write(f, node.outputs[0]!),
    operands: inputs.length,
    terms: inner[0]!.length,
    outer: f.lowering.constant(interleaved(outer)),
    inner: f.lowering.constant(interleaved(inner)),
  };
  emitFloat(f, "einsum", fields, sizeOf(shapeOf(f.graph, node.outputs[0]!)), node.id);
  return true;
};
