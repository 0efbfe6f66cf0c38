/** Lowers the nodes of a layer in floating point, in node order: by their traits (dot, movement, window) or by their rule. */
import { type Issue, ModelError } from "../../errors.ts";
import { isConstant, shapeOf, type ValueId, valueNamed } from "../../graph/graph.ts";
import { convDescriptor } from "../../kernels/floatArgs.ts";
import { BINARY, REDUCE, UNARY } from "../../kernels/floatModes.ts";
import type { DotGeometry, Movement } from "../../ops/op.ts";
import { type ReduceAttrs, reduceWindow } from "../../ops/reduce.ts";
import { broadcastShapes, formatShape, sizeOf } from "../../tensor/shape.ts";
import { gatherExtents } from "../gather.ts";
import { emitCopy } from "../movement.ts";
import { type Resolved, resolve } from "../operands.ts";
import { regionsOf } from "../regions.ts";
import { windowOf } from "../windows.ts";
import { emitFloat, type FloatContext, isRead, maySharePlace, read, scratch, settle, write } from "./context.ts";
import { FLOAT_RULES, type FloatRule } from "./rules.ts";
import * as step from "./steps.ts";

/** Lowers a node in a way of its own; false: not this node. */
export type NodeOverride = (resolved: Resolved, f: FloatContext) => boolean;

/** Emits all nodes of the layer. throws ModelError "plan/no-kernel" that lists every node without kernel. */
export function lowerNodes(f: FloatContext, override: NodeOverride = () => false): void {
  const issues: Issue[] = [];
  for (const node of f.layer.nodes) {
    const resolved = resolve(node, f.graph);
    const done = resolved !== null && (override(resolved, f) || (hasPlainTypes(resolved, f) && isWalked(() => lowerNode(resolved, f))));
    if (!done) issues.push(issueOf(node.id, node.op, f, node.inputs));
    for (const id of node.outputs) {
      if (id === "") continue;
      if (!done && !f.places.has(id)) write(f, id);
      if (f.places.has(id)) settle(f, id, node.id);
    }
  }
  if (issues.length > 0) throw new ModelError(issues);
}

/** False where a descriptor writer refuses: too many axes for the kernels. */
function isWalked(lower: () => boolean): boolean {
  try {
    return lower();
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Kernels hold floats and truth values; integers only as constants, or as what a cast reads. */
function hasPlainTypes({ node, def }: Resolved, f: FloatContext): boolean {
  const isPlain = (id: ValueId): boolean => {
    const { type } = valueNamed(f.graph, id);
    return type === "float32" || type === "float16" || type === "bool" || (type === "float64" && f.precision === "f64");
  };
  const inputs = node.inputs.filter((id) => id !== "" && !isConstant(f.graph, id));
  const outputs = node.outputs.filter((id) => id !== "" && isRead(f, id));
  const indices = def.traits.gather ? node.inputs[1] : undefined;
  return outputs.every(isPlain) && (inputs.every((id) => id === indices || isPlain(id)) || FLOAT_RULES[node.op]?.kind === "cast");
}

function issueOf(node: string, op: string, f: FloatContext, inputs: readonly string[]): Issue {
  const operands = inputs.filter((id) => id !== "").map((id) => `${valueNamed(f.graph, id).type}${formatShape(shapeOf(f.graph, id))}`);
  const message =
    `${op} '${node}': no kernel computes it for operands ${operands.join(", ")} in ${f.precision}. ` +
    "Give its neighbours encodings that keep it out of the graph, or run it outside.";
  return { code: "plan/no-kernel", message, node };
}

function lowerNode(resolved: Resolved, f: FloatContext): boolean {
  const { node, def, infos, attrs, outShapes } = resolved;
  const movements = def.traits.movement?.(infos, outShapes, attrs);
  if (movements) return lowerMovements(resolved, movements, f);
  if (def.traits.gather) return lowerGather(resolved, f);
  if (def.traits.dot) return lowerDot(resolved, f);
  const windowed = windowOf(node, f.graph);
  if (windowed) {
    step.reduce(f, node.id, REDUCE[windowed.kind], windowed.window, read(f, node.inputs[0]!), write(f, node.outputs[0]!));
    return !node.outputs.slice(1).some((id) => isRead(f, id));
  }
  const rule = FLOAT_RULES[def.type];
  return rule !== undefined && applyRule(rule, resolved, f);
}

function applyRule(rule: FloatRule, resolved: Resolved, f: FloatContext): boolean {
  const { node, attrs } = resolved;
  const output = node.outputs[0]!;
  const dims = shapeOf(f.graph, output);
  const operand = (i: number): step.Operand => ({ ref: read(f, node.inputs[i]!), dims: shapeOf(f.graph, node.inputs[i]!) });
  const opcode = (op: number | ((attrs: unknown) => number)): number => (typeof op === "number" ? op : op(attrs));
  switch (rule.kind) {
    case "unary": {
      const input = operand(0);
      step.unary(f, node.id, opcode(rule.op), rule.params?.(attrs) ?? [], input.ref, write(f, output), sizeOf(dims));
      return true;
    }
    case "binary": {
      const [a, b] = [operand(0), operand(1)];
      step.binary(f, node.id, opcode(rule.op), a, b, write(f, output), dims);
      return true;
    }
    case "fold":
      return lowerFold(
        rule.op,
        rule.mean === true,
        node.inputs.map((_, i) => operand(i)),
        node.id,
        output,
        f,
      );
    case "reduce": {
      const window = reduceWindow(resolved.infos[0]!, resolved.infos, attrs as ReduceAttrs);
      if (!window) return false;
      const input = operand(0);
      step.reduce(f, node.id, rule.op, window, input.ref, write(f, output));
      return true;
    }
    case "cast":
      return lowerCast(resolved, f);
    case "composite":
      return rule.lower(resolved, f);
  }
}

/** Rows of float elements by computed indices, which are graph inputs. */
function lowerGather(resolved: Resolved, f: FloatContext): boolean {
  const { node } = resolved;
  const extents = gatherExtents(resolved);
  const [data, indices] = node.inputs;
  if (!extents || !f.layer.inputs.includes(indices!)) return false;
  const count = sizeOf(shapeOf(f.graph, indices!));
  const fields = {
    input: read(f, data!),
    indices: f.lowering.input(indices!, "rowMajor"),
    count,
    extent: extents.extent,
    run: extents.inner * f.bytes,
  };
  f.lowering.emit("gather_rows", { ...fields, output: write(f, node.outputs[0]!) }, extents.outer, node.id);
  return true;
}

/** Numbers keep their value; truth is x ≠ 0; binary16 is rounded to, from float32 only. */
function lowerCast({ node }: Resolved, f: FloatContext): boolean {
  const output = node.outputs[0]!;
  const { type } = valueNamed(f.graph, output);
  const from = valueNamed(f.graph, node.inputs[0]!).type;
  const size = sizeOf(shapeOf(f.graph, output));
  const input = read(f, node.inputs[0]!);
  if (type === "bool") {
    const opposite = scratch(f, size);
    step.unary(f, node.id, UNARY.not, [], input, opposite, size);
    step.unary(f, node.id, UNARY.not, [], opposite, write(f, output), size);
    return true;
  }
  if (type === "float16" && from !== "float16" && from !== "bool") {
    if (f.precision === "f64") return false;
    f.lowering.emit("half_round", { input, output: write(f, output) }, size, node.id);
    return true;
  }
  if (f.precision === "f64" && type === "float32" && from === "float64") return false;
  if (maySharePlace(f, output)) f.places.set(output, input);
  else step.binary(f, node.id, BINARY.mul, { ref: input, dims: [size] }, step.scalar(f, 1), write(f, output), [size]);
  return true;
}

/** Left to right over any number of operands; a mean divides by their number at the end. */
function lowerFold(op: number, mean: boolean, operands: readonly step.Operand[], node: string, output: string, f: FloatContext): boolean {
  const [first, ...rest] = operands;
  if (!first || operands.some(({ ref }) => ref === undefined)) return false;
  const last = rest.length + (mean ? 1 : 0);
  let acc = first;
  let steps = 0;
  for (const next of rest) {
    const dims = broadcastShapes(acc.dims, next.dims)!;
    const to = ++steps === last ? write(f, output) : scratch(f, sizeOf(dims));
    step.binary(f, node, op, acc, next, to, dims);
    acc = { ref: to, dims };
  }
  if (mean) step.binary(f, node, BINARY.div, acc, step.scalar(f, operands.length), write(f, output), acc.dims);
  else if (last === 0) step.binary(f, node, BINARY.add, acc, step.scalar(f, -0), write(f, output), acc.dims);
  return true;
}

function lowerMovements(resolved: Resolved, movements: readonly Movement[], f: FloatContext): boolean {
  const { node } = resolved;
  node.outputs.forEach((output, i) => {
    if (output === "") return;
    const movement = movements[i]!;
    if (movement.alias !== undefined && maySharePlace(f, output)) {
      f.places.set(output, read(f, node.inputs[movement.alias]!));
      return;
    }
    const shape = shapeOf(f.graph, output);
    const regions = movement.alias === undefined ? movement.regions : regionsOf(movement, shapeOf(f.graph, node.inputs[movement.alias]!));
    const sources = node.inputs.map((id, k) => (regions.some((region) => region.input === k) ? read(f, id) : null));
    const to = write(f, output);
    if (movement.alias === undefined && regions.reduce((sum, region) => sum + sizeOf(region.dims), 0) < sizeOf(shape)) {
      step.fill(f, node.id, movement.fill ?? 0, to, sizeOf(shape));
    }
    for (const region of regions) {
      const from = { ref: sources[region.input]!, shape: shapeOf(f.graph, node.inputs[region.input]!), layout: "rowMajor" as const };
      emitCopy(node.id, region, from, { ref: to, shape, layout: "rowMajor" }, f.bytes, f.lowering);
    }
  });
  return true;
}

/** Convolution or matrix product, then (factor·product) + (factor·bias), factors of 1 skipped. */
function lowerDot(resolved: Resolved, f: FloatContext): boolean {
  const { node, def, infos, attrs, outShapes } = resolved;
  const dot = def.traits.dot!;
  const geometry: DotGeometry = dot.geometry(infos[0]!, infos[1]!, outShapes[0]!, attrs);
  const biasId = dot.bias === undefined ? "" : (node.inputs[dot.bias] ?? "");
  const [a, b] = [read(f, node.inputs[0]!), read(f, node.inputs[1]!)];
  const output = node.outputs[0]!;
  if (geometry.kind === "conv") {
    const bias = biasId === "" ? 0 : read(f, biasId);
    const words = f.lowering.constant(convDescriptor(geometry));
    emitFloat(
      f,
      "conv",
      { input: a, weight: b, bias, output: write(f, output), geometry: words },
      geometry.batch * geometry.outChannels,
      node.id,
    );
    return true;
  }
  const dims = outShapes[0]!;
  const size = sizeOf(dims);
  const { product, bias: biasFactor } = dot.scale?.(attrs) ?? { product: 1, bias: 1 };
  const bias = biasId !== "" ? scaled(f, node.id, biasFactor, { ref: read(f, biasId), dims: shapeOf(f.graph, biasId) }) : null;
  const target = write(f, output);
  const raw = product === 1 && !bias ? target : scratch(f, size);
  step.matmul(f, node.id, geometry, a, b, raw);
  const sum = product === 1 ? raw : bias ? scratch(f, size) : target;
  if (product !== 1) step.binary(f, node.id, BINARY.mul, { ref: raw, dims }, step.scalar(f, product), sum, dims);
  if (bias) step.binary(f, node.id, BINARY.add, { ref: sum, dims }, bias, target, dims);
  return true;
}

function scaled(f: FloatContext, node: string, factor: number, operand: step.Operand): step.Operand {
  if (factor === 1) return operand;
  const ref = scratch(f, sizeOf(operand.dims));
  step.binary(f, node, BINARY.mul, operand, step.scalar(f, factor), ref, operand.dims);
  return { ref, dims: operand.dims };
}
