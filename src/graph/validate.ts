/** Quick check of a graph that was just read, and the two repairs readers may use: unique node ids and topological order. */
import type { Attr, Graph, Node, ValueId } from "./graph.ts";

/** Whether a graph whose nodes have unique ids and whose values one producer each keeps the other invariants too: what is read is made before.
 *  No for graphs with subgraphs: graphIssues() says what holds there. */
export function isSound({ inputs, nodes, outputs, values }: Graph): boolean {
  const made = new Set(inputs);
  for (const [id, { data }] of values) if (data) made.add(id);
  for (const node of nodes) {
    if ([...node.attrs.values()].some(isGraph)) return false;
    if (!node.inputs.every((id) => id === "" || made.has(id))) return false;
    for (const id of node.outputs) if (id !== "") made.add(id);
  }
  return outputs.every((id) => made.has(id)) && [...made].every((id) => values.has(id));
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

export function capturesOf(graph: Graph): ValueId[] {
  const own = new Set<ValueId>(graph.inputs);
  for (const [id, value] of graph.values) if (value.data) own.add(id);
  for (const node of graph.nodes) for (const id of node.outputs) own.add(id);
  return [...graph.nodes.flatMap(readsOf), ...graph.outputs].filter((id) => id !== "" && !own.has(id));
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
