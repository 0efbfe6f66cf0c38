/** Closes subgraphs: every outer value that a node's bodies read becomes an input of the node, and every name in them one of its own, so that
 *  passes that follow inputs see everything and bodies can be put in their node's place as they are. */
import type { Attr, Graph, Node, Value, ValueId } from "../graph/graph.ts";
import { isGraph } from "../graph/validate.ts";
import { CAPTURES } from "../ops/subgraphs.ts";

type Names = ReadonlyMap<ValueId, ValueId>;

/** Names given away so far, of values and of nodes. */
interface Taken {
  readonly values: Set<ValueId>;
  readonly nodes: Set<string>;
}

/** The graph with closed subgraphs; itself where there are none, or none left to close. */
export function closeSubgraphs(graph: Graph): Graph {
  if (!graph.nodes.some((node) => hasSubgraph(node) && !node.attrs.has(CAPTURES))) return graph;
  const taken = { values: new Set(graph.values.keys()), nodes: new Set(graph.nodes.map((node) => node.id)) };
  return { ...graph, nodes: graph.nodes.map((node) => closeNode(node, new Map(), taken)) };
}

function hasSubgraph(node: Node): boolean {
  return [...node.attrs.values()].some(isGraph);
}

/** `names`: what enclosing bodies' values are called now. */
function closeNode(node: Node, names: Names, taken: Taken): Node {
  const rename = (id: ValueId): ValueId => names.get(id) ?? id;
  const inputs = node.inputs.map(rename);
  const outputs = node.outputs.map(rename);
  if (!hasSubgraph(node)) return { ...node, inputs, outputs };
  const attrs = new Map<string, Attr>([...node.attrs].map(([name, attr]) => [name, isGraph(attr) ? closeBody(attr, names, taken) : attr]));
  const captures = [...new Set([...attrs.values()].filter(isGraph).flatMap(freeNames))];
  return { ...node, attrs: attrs.set(CAPTURES, captures), inputs: [...inputs, ...captures], outputs };
}

function closeBody(body: Graph, outer: Names, taken: Taken): Graph {
  const names = new Map(outer);
  const own = new Set([...body.inputs, ...body.values.keys()]);
  for (const id of own) if (id !== "") names.set(id, unique(id, taken.values));
  const rename = (id: ValueId): ValueId => names.get(id) ?? id;
  const values = new Map<ValueId, Value>([...body.values.values()].map((value) => [rename(value.id), { ...value, id: rename(value.id) }]));
  const ids = body.nodes.map((node) => ({ ...node, id: unique(node.id, taken.nodes) }));
  const nodes = ids.map((node) => closeNode(node, names, taken));
  return { ...body, nodes, values, inputs: body.inputs.map(rename), outputs: body.outputs.map(rename) };
}

function unique(name: string, taken: Set<string>): string {
  let found = name;
  for (let k = 1; taken.has(found); k++) found = `${name}#${k}`;
  taken.add(found);
  return found;
}

/** What a closed body reads and does not make. */
function freeNames(body: Graph): ValueId[] {
  const own = new Set<ValueId>([...body.inputs, ...body.values.keys()]);
  return [...body.nodes.flatMap((node) => node.inputs), ...body.outputs].filter((id) => id !== "" && !own.has(id));
}
