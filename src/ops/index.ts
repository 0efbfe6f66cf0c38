/** The operator registry: every OpDef by domain and type. */
import type { Node } from "../graph/graph.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { batchNormalization } from "./batchNormalization.ts";
import { CASTS } from "./cast.ts";
import { clip } from "./clip.ts";
import { CONVOLUTIONS } from "./conv.ts";
import { DYNAMIC_QUANTIZERS } from "./dynamicQuantize.ts";
import { EINSUMS } from "./einsum.ts";
import { GATHERS } from "./gather.ts";
import { LOGIC } from "./logic.ts";
import { MATH } from "./math.ts";
import { PRODUCTS } from "./matmul.ts";
import { NORMALIZATIONS } from "./normalization.ts";
import { OTHER_NORMALIZATIONS } from "./normalizationOther.ts";
import type { OpDef } from "./op.ts";
import { POOLS } from "./pools.ts";
import { QUANTIZERS } from "./quantize.ts";
import { REARRANGEMENTS } from "./rearrange.ts";
import { REDUCTIONS } from "./reduce.ts";
import { RESHAPES } from "./reshape.ts";
import { RESIZES } from "./resize.ts";
import { SEARCHES } from "./search.ts";
import { SHAPES } from "./shape.ts";
import { SOFTMAXES } from "./softmax.ts";

export const OPS: readonly OpDef[] = [
  ...CONVOLUTIONS,
  ...PRODUCTS,
  ...ARITHMETIC,
  ...ACTIVATIONS,
  clip,
  ...MATH,
  ...SOFTMAXES,
  ...REDUCTIONS,
  ...POOLS,
  ...NORMALIZATIONS,
  batchNormalization,
  ...OTHER_NORMALIZATIONS,
  ...LOGIC,
  ...SEARCHES,
  ...RESHAPES,
  ...REARRANGEMENTS,
  ...GATHERS,
  ...SHAPES,
  ...RESIZES,
  ...CASTS,
  ...QUANTIZERS,
  ...DYNAMIC_QUANTIZERS,
  ...EINSUMS,
];

/** Also found in com.microsoft, with the semantics of the newest opset: 16- and 4-bit Q/DQ travel there before opset 21. */
const CONTRIBUTED = ["QuantizeLinear", "DequantizeLinear", "Gelu"];
const NEWEST_OPSET = 25;

function contributed(op: OpDef): OpDef {
  return { ...op, domain: "com.microsoft", since: 1, parse: (attrs) => op.parse(attrs, NEWEST_OPSET) };
}

function nameOf(op: OpDef): string {
  return `${op.domain ?? ""}:${op.type}`;
}

const BY_NAME: ReadonlyMap<string, OpDef> = new Map(
  [...OPS, ...OPS.filter((op) => CONTRIBUTED.includes(op.type)).map(contributed)].map((op) => [nameOf(op), op]),
);

/** The definition of a node's operator; undefined when there is none. */
export function opOf(node: Pick<Node, "op" | "domain"> & Partial<Pick<Node, "outputs">>): OpDef | undefined {
  const op = BY_NAME.get(`${node.domain === "ai.onnx" ? "" : node.domain}:${node.op}`);
  if (!op || !node.outputs || op.arity.outputs[1] !== Infinity) return op;
  const count = node.outputs.length;
  return { ...op, parse: (attrs, opset) => op.parse(attrs, opset, count) };
}
