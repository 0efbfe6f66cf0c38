/** Operators that choose by position or bit: Trilu, OneHot, Hardmax, BitwiseNot. The condition is a comparison with the positions. */
import { shapeOf } from "../../graph/graph.ts";
import { BINARY } from "../../kernels/floatModes.ts";
import { integerType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { attribute } from "./attributes.ts";
import type { Composite } from "./composites.ts";
import {
  bytesOf,
  constantOf,
  convert,
  emitFloat,
  type FloatContext,
  homeOf,
  inPrecision,
  read,
  readAs,
  scratch,
  write,
} from "./context.ts";
import * as step from "./steps.ts";

/** A condition made in double, in the precision of what it chooses from. */
function condition(f: FloatContext, node: string, made: step.Operand, id: string): step.Operand {
  if (f.precision === "f64") return made;
  const size = sizeOf(made.dims);
  const ref = scratch(f, size);
  convert(f, node, ["f64", made.ref], [f.precision, ref], size, id);
  return { ref, dims: made.dims };
}

/** Column − row ≤ k (lower) or ≥ k (upper) keeps an element, the others are 0. */
const trilu: Composite = ({ node, attrs }, f) => {
  const id = node.inputs[0]!;
  const dims = shapeOf(f.graph, id);
  const [rows, columns] = dims.slice(-2) as [number, number];
  const doubles = inPrecision(f, "f64");
  const distance = Array.from({ length: rows * columns }, (_, i) => (i % columns) - Math.floor(i / columns));
  const kept = { ref: scratch(doubles, rows * columns), dims: [rows, columns] };
  const k = node.inputs[1] ? { ref: readAs(f, node.inputs[1], "f64"), dims: [] } : step.scalar(doubles, 0);
  const op = attribute(attrs, "upper") === 1 ? BINARY.greaterOrEqual : BINARY.lessOrEqual;
  step.binary(doubles, node.id, op, { ref: constantOf(doubles, distance), dims: kept.dims }, k, kept.ref, kept.dims);
  const x = { ref: read(f, id), dims };
  step.choose(f, node.id, condition(f, node.id, kept, id), x, step.scalar(f, 0), write(f, node.outputs[0]!), dims);
  return true;
};

/** Position = index or index + depth along the new axis. */
const oneHot: Composite = ({ node, attrs, infos, outShapes }, f) => {
  const [indexId, , valuesId] = node.inputs as [string, string, string];
  const dims = shapeOf(f.graph, indexId);
  const given = attribute(attrs, "axis");
  const axis = given < 0 ? given + dims.length + 1 : given;
  const out = outShapes[0]!;
  const doubles = inPrecision(f, "f64");
  const depth = out[axis]!;
  const position = {
    ref: constantOf(
      doubles,
      Array.from({ length: depth }, (_, i) => i),
    ),
    dims: [depth, ...dims.slice(axis).map(() => 1)],
  };
  const indices = { ref: readAs(f, indexId, "f64"), dims: [...dims.slice(0, axis), 1, ...dims.slice(axis)] };
  const fromEnd = { ref: scratch(doubles, sizeOf(dims)), dims: indices.dims };
  step.binary(doubles, node.id, BINARY.add, indices, step.scalar(doubles, depth), fromEnd.ref, fromEnd.dims);
  const hits = [indices, fromEnd].map((at) => {
    const ref = scratch(doubles, sizeOf(out));
    step.binary(doubles, node.id, BINARY.equal, position, at, ref, out);
    return { ref, dims: out };
  });
  const [first, second] = hits as [step.Operand, step.Operand];
  step.binary(doubles, node.id, BINARY.or, first, second, first.ref, out);
  const g = inPrecision(f, homeOf(f, infos[2]!.type));
  const values = read(g, valuesId);
  const on = { ref: f.lowering.at(values, bytesOf(g.precision)), dims: [] };
  step.choose(g, node.id, condition(g, node.id, first, indexId), on, { ref: values, dims: [] }, write(g, node.outputs[0]!), out);
  return true;
};

/** 1 where the position along the axis is that of the first largest element. */
const hardmax: Composite = ({ node, attrs }, f) => {
  const id = node.inputs[0]!;
  const dims = shapeOf(f.graph, id);
  const given = attribute(attrs, "axis");
  const flatten = attribute(attrs, "flatten") === 1;
  const axis = given < 0 ? given + dims.length : given;
  const [outer, size, inner] = flatten
    ? [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis)), 1]
    : [sizeOf(dims.slice(0, axis)), dims[axis] ?? 1, sizeOf(dims.slice(axis + 1))];
  const doubles = inPrecision(f, "f64");
  const best = { ref: scratch(doubles, outer * inner), dims: [outer, 1, inner] };
  emitFloat(f, "arg", { input: read(f, id), output: best.ref, size, inner, which: 0, last: 0 }, outer * inner, node.id);
  const position = constantOf(
    doubles,
    Array.from({ length: size }, (_, i) => i),
  );
  const hit = { ref: scratch(doubles, outer * size * inner), dims: [outer, size, inner] };
  step.binary(doubles, node.id, BINARY.equal, { ref: position, dims: [size, 1] }, best, hit.ref, hit.dims);
  convert(f, node.id, ["f64", hit.ref], [f.precision, write(f, node.outputs[0]!)], outer * size * inner, id);
  return true;
};

/** Every bit of the type flipped: an exclusive or with all ones. */
const bitwiseNot: Composite = ({ node, infos }, f) => {
  const dims = shapeOf(f.graph, node.inputs[0]!);
  const { bits, signed } = integerType(infos[0]!.type)!;
  const ones = step.scalar(f, signed ? -1 : 2 ** bits - 1);
  step.binary(f, node.id, BINARY.bitXor, { ref: read(f, node.inputs[0]!), dims }, ones, write(f, node.outputs[0]!), dims);
  return true;
};

/** By operator name. */
export const MASKS: Readonly<Record<string, Composite>> = { Trilu: trilu, OneHot: oneHot, Hardmax: hardmax, BitwiseNot: bitwiseNot };
