/** Lowers the nodes of a layer in floating point, in node order: by their traits (dot, movement, window) or by their rule. */
import { type Issue, ModelError } from "../../errors.ts";
import { shapeOf, valueNamed } from "../../graph/graph.ts";
import { convDescriptor } from "../../kernels/floatArgs.ts";
import { BINARY, REDUCE, UNARY } from "../../kernels/floatModes.ts";
import type { DotGeometry, Movement, Precision, Window } from "../../ops/op.ts";
import { columnMajor } from "../../ops/poolsFloat.ts";
import { type ReduceAttrs, reduceWindow } from "../../ops/reduce.ts";
import { integerType } from "../../tensor/dtype.ts";
import { broadcastShapes, formatShape, sizeOf } from "../../tensor/shape.ts";
import { gatherExtents } from "../gather.ts";
import { emitCopy } from "../movement.ts";
import { type Resolved, resolve } from "../operands.ts";
import { regionsOf } from "../regions.ts";
import { windowOf } from "../windows.ts";
import { attribute } from "./attributes.ts";
import { lowerBlockMatmul } from "./blockMatmul.ts";
import {
  emitFloat,
  type FloatContext,
  homeOf,
  inPrecision,
  isRead,
  maySharePlace,
  read,
  readAs,
  scratch,
  settle,
  share,
  write,
  writeAs,
} from "./context.ts";
import { lowerConvPanels } from "./convPanels.ts";
import { FLOAT_RULES, type FloatRule } from "./rules.ts";
import * as step from "./steps.ts";

/** Lowers a node in a way of its own; false: not this node. */
export type NodeOverride = (resolved: Resolved, f: FloatContext) => boolean;

/** Emits all nodes of the layer. throws ModelError "plan/no-kernel" that lists every node without kernel. */
export function lowerNodes(f: FloatContext, override: NodeOverride = () => false): void {
  const issues: Issue[] = [];
  for (const node of f.layer.nodes) {
    const resolved = resolve(node, f.graph);
    const done =
      resolved !== null && (override(resolved, f) || isWalked(() => lowerNode(resolved, inPrecision(f, precisionOf(resolved, f)))));
    if (!done) issues.push(issueOf(node.id, node.op, f, node.inputs));
    const rounded = resolved !== null && keepsHalves(resolved, f);
    for (const id of node.outputs) {
      if (id === "") continue;
      if (!done && !f.places.has(id)) write(f, id);
      if (f.places.has(id)) settle(f, id, node.id, rounded);
    }
  }
  if (issues.length > 0) throw new ModelError(issues);
}

/** Whether what a node gives are elements of its operands, or zeros, and its operands are binary16 numbers: rounding would change nothing. */
function keepsHalves({ node, def }: Resolved, f: FloatContext): boolean {
  const rule = FLOAT_RULES[node.op];
  const keeps = def.traits.passesEncoding === true || (rule?.kind === "unary" && rule.op === UNARY.relu);
  const numbers = node.inputs.flatMap((id) => (id === "" ? [] : [valueNamed(f.graph, id)])).filter(({ type }) => type === "float32");
  return keeps && numbers.length > 0 && numbers.every(({ half }) => half === true);
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

/** What a node is computed in: as its first operand that is no truth value; powers of mixed operands in double, which is rounded once. */
function precisionOf({ node, infos }: Resolved, f: FloatContext): Precision {
  const homes = infos.flatMap((info) => (info && info.type !== "bool" ? [homeOf(f, info.type)] : []));
  return (FLOAT_RULES[node.op]?.mixed && homes.includes("f64") ? "f64" : homes[0]) ?? f.family;
}

function issueOf(node: string, op: string, f: FloatContext, inputs: readonly string[]): Issue {
  const operands = inputs.filter((id) => id !== "").map((id) => `${valueNamed(f.graph, id).type}${formatShape(shapeOf(f.graph, id))}`);
  const message =
    `${op} '${node}': no kernel computes it for operands ${operands.join(", ")} in ${f.family}. ` +
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
    return lowerPositions(resolved, windowed.window, f);
  }
  const rule = FLOAT_RULES[def.type];
  return rule !== undefined && applyRule(rule, resolved, f);
}

function applyRule(rule: FloatRule, resolved: Resolved, f: FloatContext): boolean {
  const { node, attrs } = resolved;
  const output = node.outputs[0]!;
  const dims = output === "" ? [] : shapeOf(f.graph, output);
  const operand = (i: number): step.Operand => ({ ref: read(f, node.inputs[i]!), dims: shapeOf(f.graph, node.inputs[i]!) });
  const opcode = (op: number | ((attrs: unknown) => number)): number => (typeof op === "number" ? op : op(attrs));
  const type = resolved.infos[0]?.type ?? "float32";
  const whole = integerType(type);
  switch (rule.kind) {
    case "unary": {
      const input = operand(0);
      step.unary(f, node.id, opcode(rule.op), rule.params?.(attrs) ?? [], input.ref, write(f, output), sizeOf(dims));
      return true;
    }
    case "binary": {
      const [a, b] = [operand(0), operand(1)];
      const to = write(f, output);
      step.binary(f, node.id, opcode((whole && rule.whole) ?? rule.op), a, b, to, dims);
      if (whole && integerType(valueNamed(f.graph, output).type)) step.toInteger(f, node.id, whole, to, to, sizeOf(dims));
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
    case "composite":
      return rule.lower(resolved, f);
  }
}

/** Rows by indices that are computed or fed. */
function lowerGather(resolved: Resolved, f: FloatContext): boolean {
  const { node } = resolved;
  const extents = gatherExtents(resolved);
  if (!extents || (extents.extent === 0 && sizeOf(resolved.outShapes[0]!) > 0)) return false;
  const indices = node.inputs[1]!;
  const fields = {
    input: read(f, node.inputs[0]!),
    indices: readAs(f, indices, "f64"),
    count: sizeOf(shapeOf(f.graph, indices)),
    extent: extents.extent,
    run: extents.inner * f.bytes,
  };
  f.lowering.emit("gather_rows", { ...fields, output: write(f, node.outputs[0]!) }, extents.outer, node.id);
  return true;
}

/** The second output of a maximum over windows: where the maximum stands. Positions that count columns first are looked up. */
function lowerPositions({ node, attrs }: Resolved, window: Window, f: FloatContext): boolean {
  const id = node.outputs[1] ?? "";
  if (node.outputs.slice(2).some((other) => isRead(f, other))) return false;
  if (id === "" || !isRead(f, id)) return true;
  const input = node.inputs[0]!;
  const dims = shapeOf(f.graph, input);
  const count = sizeOf(shapeOf(f.graph, id));
  const swapped = attribute(attrs, "columnMajor") === 1;
  const positions = swapped ? f.lowering.buffer(8 * count) : writeAs(f, id, "f64");
  step.reduceIndex(f, node.id, window, read(f, input), positions);
  if (!swapped) return true;
  const table = f.lowering.constant(Float64Array.from({ length: sizeOf(dims) }, (_, i) => columnMajor(i, dims)));
  const offsets = step.offsets(f, node.id, positions, count, [[sizeOf(dims), 1]]);
  step.pick(f, node.id, table, offsets, writeAs(f, id, "f64"), count, 8, 8);
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
  if (node.outputs.slice(movements.length).some((id) => isRead(f, id))) return false;
  node.outputs.forEach((output, i) => {
    if (output === "" || !isRead(f, output)) return;
    const movement = movements[i];
    if (!movement) return;
    if (movement.alias !== undefined && maySharePlace(f, output)) {
      share(f, output, read(f, node.inputs[movement.alias]!));
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
  if (geometry.kind === "conv" && lowerConvPanels(resolved, geometry, biasId, f)) return true;
  const [a, b] = [read(f, node.inputs[0]!), () => read(f, node.inputs[1]!)];
  const output = node.outputs[0]!;
  if (geometry.kind === "conv") {
    const bias = biasId === "" ? 0 : read(f, biasId);
    const words = f.lowering.constant(convDescriptor(geometry));
    emitFloat(
      f,
      "conv",
      { input: a, weight: b(), bias, output: write(f, output), geometry: words },
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
  if (!lowerBlockMatmul(node, geometry, a, raw, f)) step.matmul(f, node.id, geometry, a, b(), raw);
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
