/** Float operators that take more than one opcode: how each is composed of kernel calls, in the order of the operator's own loops. */
import { isConstant, type Node, shapeOf, valueNamed } from "../../graph/graph.ts";
import { BINARY, UNARY } from "../../kernels/floatModes.ts";
import { exp } from "../../numerics/elementary.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import { levelsOf } from "../codes.ts";
import { activationEncoding, type Resolved } from "../operands.ts";
import { attribute } from "./attributes.ts";
import { type FloatContext, read, scratch, write } from "./context.ts";
import * as step from "./steps.ts";

const MOST_CODES = 2 ** 24;

/** Emits a node; false when no kernel serves it as it is here. */
export type Composite = (resolved: Resolved, f: FloatContext) => boolean;

function operand({ node }: Resolved, i: number, f: FloatContext): step.Operand {
  const id = node.inputs[i]!;
  return { ref: read(f, id), dims: shapeOf(f.graph, id) };
}

function softmax(log: boolean): Composite {
  return (resolved, f) => {
    const { node, attrs } = resolved;
    const dims = shapeOf(f.graph, node.inputs[0]!);
    const given = attribute(attrs, "axis");
    const flatten = attribute(attrs, "flatten") === 1;
    const axis = given === dims.length ? given : (normalizeAxis(given, Math.max(dims.length, 1)) ?? 0);
    const outer = sizeOf(dims.slice(0, axis));
    const lines = flatten
      ? { outer, size: sizeOf(dims.slice(axis)), inner: 1 }
      : { outer, size: dims[axis] ?? 1, inner: sizeOf(dims.slice(axis + 1)) };
    if (!log && lines.inner === 1 && softmaxOfCodes(f, node, lines)) return true;
    step.softmax(f, node.id, log, lines, read(f, node.inputs[0]!), write(f, node.outputs[0]!));
    return true;
  };
}

/** Rows of 8-bit codes to 8-bit codes: of e^x there are 256. */
function softmaxOfCodes(f: FloatContext, { id, inputs, outputs }: Node, { outer, size }: step.Lines): boolean {
  const from = activationEncoding(f.graph, inputs[0]!);
  const to = activationEncoding(f.graph, outputs[0]!);
  if (f.precision === "f32" || !from || !to || valueNamed(f.graph, outputs[0]!).half || size === 0 || size >= MOST_CODES) return false;
  const { lowering } = f;
  const [given, written] = [lowering.storage(from), lowering.storage(to)];
  if (given.bytes !== 1 || written.bytes !== 1) return false;
  const { scale } = levelsOf(from);
  const input = lowering.input(inputs[0]!, "rowMajor");
  const table = lowering.constant(Float64Array.from({ length: 256 }, (_, d) => exp(-d * scale)));
  const { zero, min, max } = written;
  const fields = { size, table, zero, min, max, scale: lowering.constant(Float64Array.of(levelsOf(to).scale)) };
  lowering.emit("softmax_q8", { input, output: lowering.output(outputs[0]!, "rowMajor"), ...fields }, outer, id);
  return true;
}

/** Constant bounds are parameters; computed ones a maximum and a minimum. */
const clip: Composite = (resolved, f) => {
  const { node, attrs, infos } = resolved;
  const x = operand(resolved, 0, f);
  const size = sizeOf(x.dims);
  const output = node.outputs[0]!;
  const known = [1, 2].every((i) => !node.inputs[i] || isConstant(f.graph, node.inputs[i]!));
  if (known) {
    const { fixed } = attrs as { readonly fixed: readonly [number, number] | null };
    const bounds = fixed ?? [infos[1]?.constant?.[0] ?? Number.NEGATIVE_INFINITY, infos[2]?.constant?.[0] ?? Number.POSITIVE_INFINITY];
    step.unary(f, node.id, UNARY.clip, bounds, x.ref, write(f, output), size);
    return true;
  }
  const raised = node.inputs[2] && node.inputs[1] ? scratch(f, size) : write(f, output);
  if (node.inputs[1]) step.binary(f, node.id, BINARY.max, x, operand(resolved, 1, f), raised, x.dims);
  const from = node.inputs[1] ? { ref: raised, dims: x.dims } : x;
  if (node.inputs[2])
    step.binary(f, node.id, BINARY.min, from, operand(resolved, 2, f), node.inputs[1] ? write(f, output) : raised, x.dims);
  return true;
};

const where: Composite = (resolved, f) => {
  const { node } = resolved;
  const [condition, a, b] = [operand(resolved, 0, f), operand(resolved, 1, f), operand(resolved, 2, f)];
  step.choose(f, node.id, condition, a, b, write(f, node.outputs[0]!), shapeOf(f.graph, node.outputs[0]!));
  return true;
};

/** Half to even; the operator gives no −0, which adding 0 turns into +0. */
const round: Composite = (resolved, f) => {
  const { node } = resolved;
  const x = operand(resolved, 0, f);
  const rounded = { ref: scratch(f, sizeOf(x.dims)), dims: x.dims };
  step.unary(f, node.id, UNARY.round, [], x.ref, rounded.ref, sizeOf(x.dims));
  step.binary(f, node.id, BINARY.add, rounded, step.scalar(f, 0), write(f, node.outputs[0]!), x.dims);
  return true;
};

/** By operator name. */
export const COMPOSITES: Readonly<Record<string, Composite>> = {
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  Clip: clip,
  Where: where,
  Round: round,
};
