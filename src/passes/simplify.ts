/** What is done to an inferred graph before its encodings are completed. */
import type { Graph } from "../graph/graph.ts";
import { foldBatchNorm } from "./foldBatchNorm.ts";
import { storeHalves } from "./storeHalves.ts";

export function simplify(graph: Graph): Graph {
  return foldBatchNorm(storeHalves(graph));
}
