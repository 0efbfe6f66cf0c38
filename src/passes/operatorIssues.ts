/** What is wrong with a node, and with those of its bodies, by what their operators declare. */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { isGraph } from "../graph/validate.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef } from "../ops/op.ts";
import { adviceOn } from "../ops/unsupported.ts";

export function nodeIssues(graph: Graph, node: Node): Issue[] {
  const issue = (code: string, message: string): Issue => ({ code, node: node.id, message: `${node.op} '${node.id}': ${message}` });
  const domain = node.domain === "" ? "ai.onnx" : node.domain;
  const opset = opsetOf(graph, node);
  const op = opOf(node);
  const name = `operator ${domain}.${node.op} (opset ${opset})`;
  if (!op) return [issue("op/unsupported", `${name} is not supported; ${adviceOn(node.op)}`)];
  if (opset < (op.since ?? 1))
    return [issue("op/opset", `${name} is not supported, expected opset ${op.since} or newer; export the model at a newer opset`)];
  const arity = [...countIssue(node.inputs, op.arity.inputs, "inputs"), ...countIssue(node.outputs, op.arity.outputs, "outputs")];
  const own = [...arity.map((message) => issue("op/arity", message)), ...attributeIssues(op, node, opset, issue)];
  const bodies = [...node.attrs.values()].filter(isGraph);
  return [...own, ...bodies.flatMap((body) => body.nodes.flatMap((inner) => nodeIssues(body, inner)))];
}

function countIssue(names: readonly string[], [min, max]: readonly [number, number], what: string): string[] {
  const expected = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
  const absent = names.slice(0, min).indexOf("");
  if (absent >= 0) return [`${what.slice(0, -1)} ${absent} is left out, expected ${expected} ${what}; export the model again`];
  if (names.length >= min && names.length <= max) return [];
  return [`${names.length} ${what}, expected ${expected}; export the model again`];
}

function attributeIssues(op: OpDef, node: Node, opset: number, issue: (code: string, message: string) => Issue): Issue[] {
  try {
    attrsOf(op, node, opset);
    return [];
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return error.issues.map(({ code, message }) => issue(code, message));
  }
}
