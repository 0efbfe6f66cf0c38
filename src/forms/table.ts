/** Form of functions of one encoded value, element by element: a table over the whole grid, built once. */
import type { Encoding } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId } from "../graph/graph.ts";
import { div, fromNumber, type Rational, roundHalfEven } from "../numerics/rational.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Numbers } from "../ops/op.ts";
import type { Target } from "../plan/plan.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { clampCode, codeIn, codeOf, type Levels, levelsOf } from "./codes.ts";
import { defineForm, type Judgement, type Layer } from "./form.ts";
import { judgeByTarget } from "./judge.ts";
import type { LinearData, LinearOperand } from "./linear.ts";
import { linearForm, offsets } from "./linearForm.ts";
import { activationEncoding, constantNumbers, isPlainCluster, type Resolved, resolve } from "./operands.ts";
import { singleCode, singleForm } from "./single.ts";
import { emitTable } from "./tableLower.ts";

export interface TableData {
  readonly node: string;
  readonly input: ValueId;
  readonly output: ValueId;
  readonly from: Encoding;
  readonly to: Encoding;
  readonly nodes: readonly Resolved[];
  /** Add, Sub or Mul with one operand constant, or with itself: target ort has forms of its own for them. */
  readonly linear: LinearData | null;
  /** Output code of each input code from qmin up; made on first use. */
  readonly codes: (target: Target) => Float64Array;
}

export const tableForm = defineForm<TableData>({
  name: "table",
  match,
  reference: (data, _layer, graph, inputs, target) => {
    const table = data.codes(target);
    const { qmin } = levelsOf(data.from);
    const codes = inputs.get(data.input)!.data;
    return [{ dims: shapeOf(graph, data.output), data: Float64Array.from(codes, (q) => table[q - qmin]!) }];
  },
  lower: (data, _layer, ctx) => {
    const layout = sameShape(shapeOf(ctx.graph, data.input), shapeOf(ctx.graph, data.output)) ? ctx.layoutOf(data.input) : "rowMajor";
    const codes = data.codes(ctx.target);
    const from = { storage: ctx.storage(data.from), levels: levelsOf(data.from), ref: ctx.input(data.input, layout) };
    const to = { storage: ctx.storage(data.to), ref: ctx.output(data.output, layout) };
    emitTable(data.node, from, to, (q) => codes[q - from.levels.qmin]!, sizeOf(shapeOf(ctx.graph, data.output)), ctx);
  },
  judge: (data, layer, graph, inputs, source, target) =>
    targetRow(target).single && data.linear
      ? linearForm.judge(data.linear, layer, graph, inputs, source, target)
      : widened(data, judgeByTarget(layer, graph, inputs, source, target)),
});

function match(layer: Layer, graph: Graph): TableData | null {
  if (!isPlainCluster(layer, graph) || layer.inputs.length !== 1) return null;
  const input = layer.inputs[0]!;
  const output = layer.outputs[0]!;
  const from = activationEncoding(graph, input);
  const to = activationEncoding(graph, output);
  if (!from || !to || sizeOf(shapeOf(graph, input)) !== sizeOf(shapeOf(graph, output))) return null;
  const nodes: Resolved[] = [];
  for (const node of layer.nodes) {
    const resolved = resolve(node, graph);
    if (!resolved?.def.traits.elementwise || node.outputs.length !== 1) return null;
    for (const id of node.inputs) if (id !== "" && isConstant(graph, id) && sizeOf(shapeOf(graph, id)) !== 1) return null;
    nodes.push(resolved);
  }
  const linear = linearForm.match(layer, graph);
  const codes: { real?: Float64Array; single?: Float64Array } = {};
  return {
    node: layer.nodes.at(-1)!.id,
    input,
    output,
    from,
    to,
    nodes,
    linear,
    codes: (target) =>
      targetRow(target).single
        ? (codes.single ??= linear ? linearCodes(linear, input, from, graph) : buildSingle(input, output, from, to, nodes, graph))
        : (codes.real ??= build(input, output, from, to, nodes, graph)),
  };
}

/** Output codes for all input codes: the nodes in double; where the operators are rational and double is too near a tie to decide,
 *  their exact rational value. */
function build(input: ValueId, output: ValueId, from: Encoding, to: Encoding, nodes: readonly Resolved[], graph: Graph): Float64Array {
  const grid = levelsOf(from);
  const levels = levelsOf(to);
  const count = grid.qmax - grid.qmin + 1;
  const x = Float64Array.from({ length: count }, (_, i) => grid.scale * (grid.qmin + i - grid.zeroPoint));
  const rational = nodes.every(({ def, infos }) => def.traits.rational && infos.every((info) => Number.isFinite(info?.constant?.[0] ?? 0)));
  const { value, error, finite } = chain(input, output, { dims: [count], data: x }, nodes, graph, rational);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const steps = value[i]! / levels.scale;
    const doubt = (error ? error[i]! / levels.scale : Number.POSITIVE_INFINITY) + Math.abs(steps) * 2 ** -51;
    const decided = Math.abs(Math.abs(steps - Math.floor(steps)) - 0.5) > doubt;
    const exact = rational && finite[i] && !decided ? exactCode(input, output, x[i]!, nodes, graph, levels) : null;
    out[i] = exact ?? codeOf(value[i]!, levels);
  }
  return out;
}

/** Judgements of target ort allow for functions that it does not round correctly. */
function widened({ nodes, to }: TableData, judgements: Judgement[]): Judgement[] {
  const error = nodes.reduce((sum, { def }) => sum + (def.traits.single?.error ?? 0), 0) / levelsOf(to).scale;
  return judgements.map((one) => (one.deviation && error > 0 ? { ...one, deviation: one.deviation.map((d) => d + error) } : one));
}

/** Output codes of target ort for a layer of two operands of which the input is one, or both. */
function linearCodes(linear: LinearData, input: ValueId, from: Encoding, graph: Graph): Float64Array {
  const form = singleForm(linear, graph);
  const { a, b, levels } = form.data;
  const { qmin, qmax, zeroPoint } = levelsOf(from);
  const code = singleCode(form);
  const other = (operand: LinearOperand): number => (operand.id === input ? 0 : offsets(operand, graph, new Map())[0]!);
  const [x, y] = [other(a), other(b)];
  return Float64Array.from({ length: qmax - qmin + 1 }, (_, i) => {
    const own = qmin + i - zeroPoint;
    return clampCode(code(a.id === input ? own : x, b.id === input ? own : y), levels);
  });
}

/** Output codes of target ort: dequantized, every node and the quotient in float32. */
function buildSingle(
  input: ValueId,
  output: ValueId,
  from: Encoding,
  to: Encoding,
  nodes: readonly Resolved[],
  graph: Graph,
): Float64Array {
  const grid = levelsOf(from);
  const levels = levelsOf(to);
  const count = grid.qmax - grid.qmin + 1;
  const x = Float32Array.from({ length: count }, (_, i) => grid.scale * (grid.qmin + i - grid.zeroPoint));
  const values = new Map<ValueId, Numbers>([[input, { dims: [count], data: x }]]);
  for (const { node, def, attrs, infos } of nodes) {
    const { single } = def.traits;
    const own = values.get(node.inputs[0]!);
    if (single && own) {
      values.set(node.outputs[0]!, { dims: [count], data: Float32Array.from(own.data, (v) => single.of(v, attrs)) });
      continue;
    }
    const args = node.inputs.map((id) => (id === "" ? null : (values.get(id) ?? constantNumbers(graph, id, "f32"))));
    const types = infos.map((info) => info?.type ?? null);
    values.set(node.outputs[0]!, def.float(args, attrs, "f32", types)[0]!);
  }
  return Float64Array.from(values.get(output)!.data, (real) => codeIn("single", real, levels));
}

/** All nodes over the vector of codes in double; `bounds`: with running error of 2^-53 where every operator declares it. */
function chain(input: ValueId, output: ValueId, x: Numbers, nodes: readonly Resolved[], graph: Graph, bounds: boolean) {
  const values = new Map<ValueId, Numbers>([[input, x]]);
  const errors = new Map<ValueId, Numbers>();
  const finite = new Uint8Array(x.data.length).fill(1);
  let bounded = bounds;
  for (const { node, def, attrs, infos } of nodes) {
    const args = node.inputs.map((id) => (id === "" ? null : (values.get(id) ?? constantNumbers(graph, id, "f64"))));
    const outs = def.float(
      args,
      attrs,
      "f64",
      infos.map((info) => info?.type ?? null),
    );
    const id = node.outputs[0]!;
    values.set(id, outs[0]!);
    outs[0]!.data.forEach((v, i) => {
      if (!Number.isFinite(v)) finite[i] = 0;
    });
    if (!bounded) continue;
    const [error] =
      def.error?.(
        args,
        node.inputs.map((name) => errors.get(name) ?? null),
        outs,
        attrs,
        2 ** -53,
      ) ?? [];
    if (error) errors.set(id, error);
    else bounded = false;
  }
  return { value: values.get(output)!.data, error: bounded ? errors.get(output)!.data : null, finite };
}

/** The code of the exact value; null when an attribute is infinite, which is no rational (the double chain decides then). */
function exactCode(input: ValueId, output: ValueId, x: number, nodes: readonly Resolved[], graph: Graph, levels: Levels): number | null {
  try {
    return rationalCode(input, output, x, nodes, graph, levels);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function rationalCode(input: ValueId, output: ValueId, x: number, nodes: readonly Resolved[], graph: Graph, levels: Levels): number {
  const values = new Map<ValueId, Rational>([[input, fromNumber(x)]]);
  for (const { node, def, attrs } of nodes) {
    const args = node.inputs.map((id) => {
      if (id === "") return undefined;
      return values.get(id) ?? fromNumber(constantNumbers(graph, id, "f64").data[0]!);
    });
    values.set(node.outputs[0]!, def.traits.rational!(args, attrs));
  }
  const steps = roundHalfEven(div(values.get(output)!, fromNumber(levels.scale)));
  return clampCode(Number(steps) + levels.zeroPoint, levels);
}
