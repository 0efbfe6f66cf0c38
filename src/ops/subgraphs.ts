/** Bodies of If, Loop and Scan put in their node's place: names mapped, outputs given the names they are read by.
 *  src/passes/closeSubgraphs.ts has made every name of a model unique and every outer value a body reads an input of its node. */
import type { Attr, Graph, Node, Value, ValueId } from "../graph/graph.ts";
import type { AttrReader } from "./attributes.ts";
import { attributeError } from "./attributes.ts";
import { shapeError } from "./checks.ts";
import type { Inlined, InlineSite } from "./op.ts";

/** The outer values a control flow node's bodies read, by the names they have there: the node's last inputs. */
export const CAPTURES = "captures";
/** What the names of a body's values end in, where the body stands in the graph more than once. */
export const SCOPE = "scope";

/** Attributes that closing and unrolling add. */
export const CLOSED = { [CAPTURES]: names, [SCOPE]: name };

function names(value: Attr | undefined): readonly ValueId[] {
  return (value as readonly ValueId[] | undefined) ?? [];
}

function name(value: Attr | undefined): string {
  return (value as string | undefined) ?? "";
}

/** A graph attribute. */
export function body(): AttrReader<Graph> {
  return (value, attribute) => {
    if (typeof value === "object" && "nodes" in value) return value;
    throw attributeError(attribute, "is missing, expected a graph");
  };
}

/** Inputs of the node itself, and the outer values its bodies read. */
export function ownInputs({ inputs }: Node, captures: readonly ValueId[]): readonly [readonly ValueId[], readonly ValueId[]] {
  const count = inputs.length - captures.length;
  return [inputs.slice(0, count), inputs.slice(count)];
}

export function requireOutputs(graph: Graph, count: number): void {
  if (graph.outputs.length === count) return;
  throw shapeError(`body '${graph.name}' has ${graph.outputs.length} outputs, expected ${count}`);
}

/** What is collected in a node's place. */
export interface Draft extends Inlined {
  readonly nodes: Node[];
  readonly values: Value[];
}

export function draft(): Draft {
  return { nodes: [], values: [] };
}

export function emit(
  to: Draft,
  id: string,
  op: string,
  inputs: readonly ValueId[],
  output: ValueId,
  attrs: Readonly<Record<string, Attr>> = {},
): ValueId {
  to.nodes.push({ id, op, domain: "", attrs: new Map(Object.entries(attrs)), inputs, outputs: [output] });
  to.values.push({ id: output, type: "float32", shape: null });
  return output;
}

export function emitIntegers(to: Draft, id: ValueId, integers: readonly number[], shape: readonly number[]): ValueId {
  to.values.push({ id, type: "int64", shape, data: BigInt64Array.from(integers, BigInt) });
  return id;
}

/** A new axis before `axis`, whatever the opset's form. */
export function emitUnsqueeze(to: Draft, { opset }: InlineSite, id: string, input: ValueId, axis: number): ValueId {
  if (opset < 13) return emit(to, id, "Unsqueeze", [input], id, { axes: [axis] });
  return emit(to, id, "Unsqueeze", [input, emitIntegers(to, `${id}/axes`, [axis], [1])], id);
}

export interface Binding {
  /** Actual names of the body's inputs and of what it captures. */
  readonly actual: ReadonlyMap<ValueId, ValueId>;
  /** What own names end in; constants, the same in every iteration, end in `outer`. */
  readonly scope: string;
  readonly outer: string;
  /** Names the outputs must have; absent: those of the body. */
  readonly targets?: readonly ValueId[];
}

/** Adds the body's nodes and values; returns the names of its outputs. */
export function bind(to: Draft, graph: Graph, { actual, scope, outer, targets }: Binding): ValueId[] {
  const names = new Map(actual);
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const value of graph.values.values()) {
    if (value.data) {
      names.set(value.id, value.id + outer);
      to.values.push({ ...value, id: value.id + outer });
    } else if (made.has(value.id)) names.set(value.id, value.id + scope);
  }
  const wanted = targets ?? graph.outputs.map(() => "");
  const taken = new Set<ValueId>();
  wanted.forEach((target, i) => {
    const inner = graph.outputs[i]!;
    if (target === "" || !made.has(inner) || taken.has(inner)) return;
    taken.add(inner);
    names.set(inner, target);
  });
  const resolve = (id: ValueId): ValueId => (id === "" ? "" : (names.get(id) ?? id));
  for (const id of made) {
    if (id !== "" && !targets?.includes(resolve(id))) to.values.push({ ...graph.values.get(id)!, id: resolve(id) });
  }
  for (const node of graph.nodes) {
    const scoped = [...node.attrs.values()].some((attr) => typeof attr === "object" && "nodes" in attr);
    const attrs = scoped ? new Map([...node.attrs, [SCOPE, scope]]) : node.attrs;
    to.nodes.push({ ...node, id: node.id + scope, attrs, inputs: node.inputs.map(resolve), outputs: node.outputs.map(resolve) });
  }
  return graph.outputs.map((inner, i) => {
    const found = resolve(inner);
    const target = wanted[i]!;
    if (target === "" || found === target) return found;
    to.nodes.push({ id: `${target}/identity`, op: "Identity", domain: "", attrs: new Map(), inputs: [found], outputs: [target] });
    return target;
  });
}
