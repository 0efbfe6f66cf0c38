/** The invariants of graph.ts, one check each. */
import { type Issue, ModelError } from "../errors.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Graph, Value, ValueId } from "./graph.ts";
import { capturesOf, isGraph, readsOf } from "./validate.ts";

const NOTHING: ReadonlySet<ValueId> = new Set();

/** Every broken invariant of `graph`; `outer` are the values of the enclosing graphs, which a subgraph may read. */
export function graphIssues(graph: Graph, outer: ReadonlySet<ValueId> = NOTHING): Issue[] {
  return [
    ...duplicateNodes(graph),
    ...duplicateProducers(graph),
    ...missingInputs(graph, outer),
    ...missingOutputs(graph, outer),
    ...badConstants(graph),
    ...subgraphIssues(graph, outer),
  ];
}

/** throws ModelError "graph/…" listing every broken invariant. */
export function validateGraph(graph: Graph): void {
  const issues = graphIssues(graph);
  if (issues.length > 0) throw new ModelError(issues);
}

function duplicateNodes(graph: Graph): Issue[] {
  const seen = new Set<string>();
  const issues: Issue[] = [];
  for (const node of graph.nodes) {
    if (seen.has(node.id))
      issues.push({
        code: "graph/duplicate-node",
        message: `node '${node.id}': the id is used twice, expected unique ids.`,
        node: node.id,
      });
    seen.add(node.id);
  }
  return issues;
}

/** A value has one producer: a graph input, a constant or one node output. */
function duplicateProducers(graph: Graph): Issue[] {
  const seen = new Map<ValueId, string>();
  const issues: Issue[] = [];
  const produce = (id: ValueId, producer: string): void => {
    const other = seen.get(id);
    if (other !== undefined) {
      issues.push({
        code: "graph/duplicate-value",
        message: `value '${id}': produced by ${other} and by ${producer}, expected one producer. Rename one of them.`,
        tensor: id,
      });
    } else seen.set(id, producer);
  };
  for (const id of graph.inputs) produce(id, "a graph input");
  for (const [id, value] of graph.values) if (value.data) produce(id, "a constant");
  for (const node of graph.nodes) for (const id of node.outputs) if (id !== "") produce(id, `node '${node.id}'`);
  return issues;
}

/** Node inputs exist and, when a node of this graph makes them, are made earlier. */
function missingInputs(graph: Graph, outer: ReadonlySet<ValueId>): Issue[] {
  const issues: Issue[] = [];
  const ready = readyValues(graph, outer);
  const later = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const node of graph.nodes) {
    for (const id of readsOf(node)) {
      if (ready.has(id)) continue;
      const where = `${node.op} '${node.id}'`;
      issues.push(
        later.has(id)
          ? {
              code: "graph/order",
              message: `${where}: reads '${id}' before it is produced, expected nodes in topological order.`,
              node: node.id,
              tensor: id,
            }
          : {
              code: "graph/missing-value",
              message: `${where}: input '${id}' is produced by nothing, expected an input, a constant or a node output.`,
              node: node.id,
              tensor: id,
            },
      );
    }
    for (const id of node.outputs) ready.add(id);
  }
  return issues;
}

function missingOutputs(graph: Graph, outer: ReadonlySet<ValueId>): Issue[] {
  const made = readyValues(graph, outer);
  for (const node of graph.nodes) for (const id of node.outputs) if (id !== "") made.add(id);
  const issues: Issue[] = [];
  for (const id of graph.outputs) {
    if (!made.has(id))
      issues.push({
        code: "graph/missing-output",
        message: `graph '${graph.name}': output '${id}' is produced by nothing, expected a value of the graph.`,
        tensor: id,
      });
  }
  for (const id of made) {
    if (!outer.has(id) && !graph.values.has(id))
      issues.push({ code: "graph/missing-value", message: `graph '${graph.name}': value '${id}' has no record.`, tensor: id });
  }
  return issues;
}

function badConstants(graph: Graph): Issue[] {
  const issues: Issue[] = [];
  for (const { id, shape, data } of graph.values.values()) {
    if (!data) continue;
    const dims = shape?.every((dim) => typeof dim === "number") ? (shape as readonly number[]) : undefined;
    if (!dims || sizeOf(dims) !== data.length) {
      const expected = dims ? `${sizeOf(dims)} for shape [${dims.join(", ")}]` : "a static shape";
      issues.push({ code: "graph/constant", message: `constant '${id}': ${data.length} elements, expected ${expected}.`, tensor: id });
    }
  }
  return issues;
}

/** What a subgraph takes from outside counts as read by its node, which has been checked; here it is taken as there. */
function subgraphIssues(graph: Graph, outer: ReadonlySet<ValueId>): Issue[] {
  const subgraphs = graph.nodes.flatMap((node) => [...node.attrs.values()].filter(isGraph));
  if (subgraphs.length === 0) return [];
  const visible = new Set([...outer, ...graph.values.keys()]);
  return subgraphs.flatMap((subgraph) => graphIssues(subgraph, new Set([...visible, ...capturesOf(subgraph)])));
}

function readyValues(
  graph: { readonly values: ReadonlyMap<ValueId, Value>; readonly inputs: readonly ValueId[] },
  outer: ReadonlySet<ValueId>,
): Set<ValueId> {
  const ready = new Set<ValueId>(outer);
  for (const id of graph.inputs) ready.add(id);
  for (const [id, value] of graph.values) if (value.data) ready.add(id);
  return ready;
}
