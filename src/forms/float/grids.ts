/** QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear whose parameters a run computes, or whose integers are a graph's own. */

import { gridOf } from "../../encodings/encoding.ts";
import { shapeOf, valueNamed } from "../../graph/graph.ts";
import { scalePositions } from "../../ops/quantize.ts";
import type { Ref } from "../../plan/lowering.ts";
import { integerType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Resolved } from "../operands.ts";
import type { Composite } from "./composites.ts";
import { emitFloat, type FloatContext, homeOf, inPrecision, read, readAs, shiftOf, write, writeAs } from "./context.ts";

/** Scale and zero point of each element; 0: one for all. */
function parameters({ node, attrs, infos }: Resolved, f: FloatContext): { scale: Ref; zero: Ref | number; positions: Ref | number } {
  const positions = scalePositions(infos[0]!.dims, infos[1]!.dims, attrs);
  return {
    scale: read(f, node.inputs[1]!),
    zero: node.inputs[2] ? readAs(f, node.inputs[2], "f64") : 0,
    positions: positions ? f.lowering.constant(positions) : 0,
  };
}

/** Computed in the precision of the scale, as the operator does: an int32 input rounds to it first only where the quotient does. */
const quantize: Composite = (resolved, given) => {
  const { node, infos } = resolved;
  if (integerType(infos[0]!.type)) return false;
  const f = inPrecision(given, homeOf(given, infos[1]!.type));
  const output = node.outputs[0]!;
  const { qmin, qmax } = gridOf(valueNamed(f.graph, output).type);
  const fields = {
    input: read(f, node.inputs[0]!),
    ...parameters(resolved, f),
    output: writeAs(f, output, "f64"),
    least: qmin,
    most: qmax,
  };
  emitFloat(f, "quantize_numbers", fields, sizeOf(shapeOf(f.graph, output)), node.id);
  return true;
};

const dequantize: Composite = (resolved, given) => {
  const { node, infos } = resolved;
  const f = inPrecision(given, homeOf(given, infos[1]!.type));
  const output = node.outputs[0]!;
  const fields = { input: readAs(f, node.inputs[0]!, "f64"), ...parameters(resolved, f), output: write(f, output) };
  emitFloat(f, "dequantize_numbers", fields, sizeOf(shapeOf(f.graph, output)), node.id);
  return true;
};

const dynamicQuantize: Composite = ({ node }, f) => {
  const [codes, scale, zero] = node.outputs as [string, string, string];
  const size = sizeOf(shapeOf(f.graph, node.inputs[0]!));
  const fields = {
    input: read(f, node.inputs[0]!),
    output: codes ? writeAs(f, codes, "q8") : f.lowering.buffer(size),
    scale: scale ? write(f, scale) : f.lowering.buffer(f.bytes),
    zero: zero ? writeAs(f, zero, "f64") : f.lowering.buffer(8),
    size,
    shift: codes ? shiftOf(f, codes) : 0,
  };
  emitFloat(f, "dynamic_quantize", fields, 1, node.id);
  return true;
};

/** By operator name. */
export const GRIDS: Readonly<Record<string, Composite>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
};
