/** Replaces nodes whose operator is defined by other operators, until none is left. */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph, Node, Value, ValueId } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { Expansion, OpDef } from "../ops/op.ts";
import { integerType } from "../tensor/dtype.ts";
import { foldQdq } from "./foldQdq.ts";

/** A decoded graph in operators that compute, its quantization as encodings. throws ModelError. */
export function readQuantization(graph: Graph): Graph {
  return foldQdq(expandOperators(graph));
}

/** Mutable state of one walk. */
interface Walk {
  readonly graph: Graph;
  readonly values: Map<ValueId, Value>;
  readonly coded: Map<ValueId, ValueId>; // names that are the real value now → what their codes are called
  readonly issues: Issue[];
}

/** The graph without nodes that expand. A result in codes keeps its name for the real value, as everything that is encoded; its codes are
 *  "name/codes", but for an output of the graph. throws ModelError with the issues of all nodes. */
export function expandOperators(graph: Graph): Graph {
  let all = graph;
  while (all.nodes.some((node) => opOf(node)?.traits.expand)) all = expandOnce(all);
  return all;
}

function expandOnce(graph: Graph): Graph {
  const walk: Walk = { graph, values: new Map(graph.values), coded: new Map(), issues: [] };
  const nodes = graph.nodes.flatMap((node) => expandNode(walk, node));
  if (walk.issues.length > 0) throw new ModelError(walk.issues);
  const onCodes = graph.nodes.some((node) => opOf(node)?.traits.onCodes);
  return { ...graph, nodes, values: walk.values, ...(onCodes ? { origin: "qoperator" as const } : {}) };
}

function expandNode(walk: Walk, source: Node): readonly Node[] {
  const node = { ...source, inputs: source.inputs.map((id) => walk.coded.get(id) ?? id) };
  const op = opOf(node);
  if (!op?.traits.expand) return [node];
  try {
    const expansion = expansionOf(walk, node, op);
    for (const value of expansion.constants) walk.values.set(value.id, value);
    for (const id of expansion.nodes.flatMap(({ outputs }) => outputs)) {
      if (!walk.values.has(id)) walk.values.set(id, { id, type: "float32", shape: null });
    }
    return expansion.nodes;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    walk.issues.push(...error.issues.map((issue) => ({ ...issue, node: node.id, message: `${node.op} '${node.id}': ${issue.message}` })));
    return [];
  }
}

function expansionOf(walk: Walk, node: Node, op: OpDef): Expansion {
  const { graph, values } = walk;
  const out = node.outputs[0]!;
  const name = (suffix: string): ValueId => freeName(values, `${node.id}/${suffix}`);
  const keeps = !op.traits.onCodes || graph.outputs.includes(out);
  const other = freeName(values, keeps ? `${out}/real` : `${out}/codes`);
  const [real, codes] = op.traits.onCodes && keeps ? [other, out] : [out, other];
  const attrs = attrsOf(op, node, opsetOf(graph, node));
  const value = (id: ValueId) => values.get(id);
  const expansion = op.traits.expand!({ node, attrs, opset: graph.opsets.get("") ?? 1, real, codes, value, name });
  if (op.traits.onCodes) renameCodes(walk, expansion, out, real, codes);
  return expansion;
}

/** Types of the real value and of its codes, which later nodes read under their new name. */
function renameCodes({ values, coded }: Walk, expansion: Expansion, out: ValueId, real: ValueId, codes: ValueId): void {
  const declared = values.get(out);
  const quantized = expansion.nodes.some(({ outputs }) => outputs.includes(codes));
  const type = declared && integerType(declared.type) ? declared.type : "uint8";
  if (!quantized) return;
  values.set(codes, { id: codes, type, shape: declared?.shape ?? null });
  values.set(real, { id: real, type: "float32", shape: declared?.shape ?? null });
  if (codes !== out) coded.set(out, codes);
}

function freeName(values: ReadonlyMap<ValueId, Value>, wanted: ValueId): ValueId {
  let name = wanted;
  for (let i = 2; values.has(name); i++) name = `${wanted}${i}`;
  return name;
}
