/** The invariants of graph.ts, one check each, and the two repairs readers may use: unique node ids and topological order. */
import { type Issue, ModelError } from "../errors.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Attr, Graph, Node, Value, ValueId } from "./graph.ts";

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

export function isGraph(attr: Attr): attr is Graph {
  return typeof attr === "object" && "nodes" in attr;
}

/** Values a node reads: its inputs, and what its subgraphs take from outside. Without absent inputs. */
export function readsOf(node: Node): ValueId[] {
  const reads = node.inputs.filter((id) => id !== "");
  for (const attr of node.attrs.values()) if (isGraph(attr)) reads.push(...capturesOf(attr));
  return reads;
}

function capturesOf(graph: Graph): ValueId[] {
  const own = new Set<ValueId>(graph.inputs);
  for (const [id, value] of graph.values) if (value.data) own.add(id);
  for (const node of graph.nodes) for (const id of node.outputs) own.add(id);
  return [...graph.nodes.flatMap(readsOf), ...graph.outputs].filter((id) => id !== "" && !own.has(id));
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

/** The nodes in topological order, otherwise in their given order (the earliest node that can run comes first). Nodes on a
 *  cycle, and those behind it, are returned as `stuck`. */
export function sortNodes(nodes: readonly Node[]): { readonly sorted: readonly Node[]; readonly stuck: readonly Node[] } {
  return isSorted(nodes) ? { sorted: nodes, stuck: [] } : sortByReads(nodes);
}

/** Whether no node reads what it or a later one makes: then sorting would change nothing. */
function isSorted(nodes: readonly Node[]): boolean {
  const later = new Set<ValueId>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    for (const id of node.outputs) if (id !== "") later.add(id);
    if (readsOf(node).some((id) => later.has(id))) return false;
  }
  return true;
}

function sortByReads(nodes: readonly Node[]): { readonly sorted: readonly Node[]; readonly stuck: readonly Node[] } {
  const producer = new Map<ValueId, number>();
  nodes.forEach((node, i) => {
    for (const id of node.outputs) if (id !== "") producer.set(id, i);
  });
  const waiting = new Int32Array(nodes.length);
  const consumers: number[][] = nodes.map(() => []);
  nodes.forEach((node, i) => {
    const sources = new Set(readsOf(node).flatMap((id) => producer.get(id) ?? []));
    waiting[i] = sources.size;
    for (const source of sources) consumers[source]?.push(i);
  });
  const ready: number[] = []; // binary heap of node indices
  waiting.forEach((count, i) => {
    if (count === 0) heapPush(ready, i);
  });
  const sorted: Node[] = [];
  for (let next = heapPop(ready); next !== undefined; next = heapPop(ready)) {
    sorted.push(nodes[next] as Node);
    for (const i of consumers[next] as number[]) {
      const left = (waiting[i] as number) - 1;
      waiting[i] = left;
      if (left === 0) heapPush(ready, i);
    }
  }
  return { sorted, stuck: nodes.filter((_, i) => (waiting[i] as number) > 0) };
}

function heapPush(heap: number[], value: number): void {
  let i = heap.push(value) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if ((heap[parent] as number) <= value) break;
    heap[i] = heap[parent] as number;
    i = parent;
  }
  heap[i] = value;
}

function heapPop(heap: number[]): number | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return top;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
    if ((heap[child] as number) >= last) break;
    heap[i] = heap[child] as number;
    i = child;
  }
  heap[i] = last;
  return top;
}

/** The nodes with unique ids: a name used once stays, an empty one becomes `Op_index`, a repeated one `name#k`. */
export function uniqueNodeIds(nodes: readonly Node[]): Node[] {
  const uses = new Map<string, number>();
  for (const { id } of nodes) if (id !== "") uses.set(id, (uses.get(id) ?? 0) + 1);
  const taken = new Set(uses.keys());
  const counts = new Map<string, number>();
  return nodes.map((node, index) => {
    if (uses.get(node.id) === 1) return node;
    let k = node.id === "" ? index : (counts.get(node.id) ?? 0) + 1;
    const name = (): string => (node.id === "" ? `${node.op}_${k}` : `${node.id}#${k}`);
    while (taken.has(name())) k++;
    counts.set(node.id, k);
    taken.add(name());
    return { ...node, id: name() };
  });
}
