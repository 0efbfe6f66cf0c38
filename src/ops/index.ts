/** The operator registry: OpDefs by domain and type — those of the core, or all of them once src/full.ts has loaded them. */
import type { Node } from "../graph/graph.ts";
import { CORE_OPS } from "./core.ts";
import type { OpDef } from "./op.ts";

/** Loaded for graphs that have them. */
const QUANTIZERS = ["QuantizeLinear", "DequantizeLinear"];

/** Also found in com.microsoft, with the semantics of the newest opset: 16- and 4-bit Q/DQ travel there before opset 21, and expansions name
 *  operators there that are newer than their graph. */
const CONTRIBUTED = [...QUANTIZERS, "Gelu", "LayerNormalization", "RMSNormalization"];
const NEWEST_OPSET = 25;

function contributed(op: OpDef): OpDef {
  return { ...op, domain: "com.microsoft", since: 1, parse: (attrs) => op.parse(attrs, NEWEST_OPSET) };
}

function nameOf({ domain, type }: OpDef): string {
  return domain ? `${domain}:${type}` : type;
}

function byName(ops: readonly OpDef[]): ReadonlyMap<string, OpDef> {
  return new Map([...ops, ...ops.filter((op) => CONTRIBUTED.includes(op.type)).map(contributed)].map((op) => [nameOf(op), op]));
}

let known = byName(CORE_OPS);

/** Makes more operators known. Only to be called by src/full.ts: it adds operators and never changes one. */
export function useOperators(more: readonly OpDef[]): void {
  known = new Map([...known, ...byName(more)]);
}

/** The definition of a node's operator; undefined when there is none. */
export function opOf(node: Pick<Node, "op" | "domain"> & Partial<Pick<Node, "outputs">>): OpDef | undefined {
  const standard = node.domain === "" || node.domain === "ai.onnx";
  const op = known.get(standard ? node.op : `${node.domain}:${node.op}`);
  if (!op || !node.outputs || op.arity.outputs[1] !== Infinity) return op;
  const count = node.outputs.length;
  return { ...op, parse: (attrs, opset) => op.parse(attrs, opset, count) };
}

/** Attributes parsed before: passes and forms ask again and again. */
const parsed = new WeakMap<Node, { readonly opset: number; readonly attrs: unknown }>();

/** The attributes of a node of operator `op`, parsed once. throws ModelError as `op.parse`. */
export function attrsOf(op: OpDef, node: Node, opset: number): unknown {
  const before = parsed.get(node);
  if (before?.opset === opset) return before.attrs;
  const attrs = op.parse(node.attrs, opset);
  parsed.set(node, { opset, attrs });
  return attrs;
}

/** Whether a node quantizes or dequantizes, whatever its domain, known or not. */
export function isQuantizer({ op }: Pick<Node, "op">): boolean {
  return QUANTIZERS.includes(op);
}
