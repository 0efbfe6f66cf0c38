/** Cast and CastLike: between floats, truth values and integers. */
import { shapeOf, valueNamed } from "../../graph/graph.ts";
import { UNARY } from "../../kernels/floatModes.ts";
import { type ElementType, integerType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Resolved } from "../operands.ts";
import type { Composite } from "./composites.ts";
import { convert, type FloatContext, homeOf, inPrecision, maySharePlace, read, readAs, share, write, writeAs } from "./context.ts";
import * as step from "./steps.ts";

/** Integers truncate and wrap, truth is x ≠ 0, binary16 and bfloat16 are rounded to; all others keep their value or round to float32. */
const cast: Composite = (resolved, f) => {
  const { node, infos, attrs } = resolved;
  const output = node.outputs[0]!;
  const { type } = valueNamed(f.graph, output);
  const from = infos[0]!.type;
  const whole = integerType(type);
  const size = sizeOf(shapeOf(f.graph, output));
  if (type === "bool" && from !== "bool") truth(resolved, f, size);
  else if (whole && from !== "bool") step.toInteger(f, node.id, whole, read(f, node.inputs[0]!), writeAs(f, output, "f64"), size);
  else if (type === "float16" && from !== "float16" && from !== "bool") toHalf(resolved, f, size);
  else if ((attrs as { readonly brain?: boolean }).brain)
    step.unary(f, node.id, UNARY.brain, [], read(f, node.inputs[0]!), write(f, output), size);
  else keep(resolved, f, type, size);
  return true;
};

function truth({ node }: Resolved, f: FloatContext, size: number): void {
  const opposite = f.lowering.buffer(size * f.bytes);
  step.unary(f, node.id, UNARY.not, [], read(f, node.inputs[0]!), opposite, size);
  step.unary(f, node.id, UNARY.not, [], opposite, write(f, node.outputs[0]!), size);
}

/** One rounding: from double where that is what there is. */
function toHalf({ node }: Resolved, f: FloatContext, size: number): void {
  const input = read(f, node.inputs[0]!);
  const output = writeAs(f, node.outputs[0]!, "f32");
  f.lowering.emit(f.precision === "f64" ? "to_half" : "half_round", { input, output }, size, node.id);
}

function keep({ node }: Resolved, f: FloatContext, type: ElementType, size: number): void {
  const output = node.outputs[0]!;
  const home = homeOf(f, type);
  const input = readAs(f, node.inputs[0]!, home);
  if (maySharePlace(f, output)) share(inPrecision(f, home), output, input);
  else convert(f, node.id, [home, input], [home, writeAs(f, output, home)], size, output);
}

/** By operator name. */
export const CASTS: Readonly<Record<string, Composite>> = { Cast: cast, CastLike: cast };
