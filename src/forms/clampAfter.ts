/** The optional clamp that ends a layer: its bounds on the output's grid. */
import type { Graph, Node } from "../graph/graph.ts";
import { clampLevels, type Levels } from "./codes.ts";
import { resolve } from "./operands.ts";

/** `levels` narrowed by the clamp of `second`, which must read the output of `first` and constants only; `levels` as they are when
 *  there is no second node; null when it is something else than a clamp. */
export function clampAfter(first: Node, second: Node | undefined, graph: Graph, levels: Levels): Levels | null {
  if (!second) return levels;
  if (second.inputs[0] !== first.outputs[0]) return null;
  const resolved = resolve(second, graph);
  const activation = resolved?.def.traits.activation?.(resolved.infos, resolved.attrs);
  return activation?.kind === "clamp" ? clampLevels(levels, activation.lo, activation.hi) : null;
}
