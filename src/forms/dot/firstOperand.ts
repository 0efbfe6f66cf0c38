/** The first operand as centred integers, and the grid of its products. */
import type { Graph } from "../../graph/graph.ts";
import type { Codes } from "../form.ts";
import type { DotData } from "./data.ts";
import { codesOf, type SecondOperand } from "./operands.ts";

/** Centred first operand, row-major. */
export function firstOperand(data: DotData, graph: Graph, inputs: Codes): Float64Array {
  const codes = codesOf(graph, data.a, data.aEncoding, inputs);
  const zero = data.aEncoding.zeroPoint[0]!;
  const centred = new Float64Array(codes.length);
  for (let i = 0; i < centred.length; i++) centred[i] = codes[i]! - zero;
  return centred;
}

/** Real value of one accumulator step of channel n, in double: alpha·sx·sw (LPBQ: the channel's scale). */
export function accumulatorGrid(data: DotData, second: Pick<SecondOperand, "scaleAt">, matrix: number, n: number): number {
  return data.aEncoding.scale[0]! * second.scaleAt(matrix, n, 0) * data.alpha;
}
