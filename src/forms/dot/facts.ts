/** What a report says of a dot product: accumulator headroom, and what becomes of its bias encoding. */
import { gridOf } from "../../encodings/encoding.ts";
import type { Graph } from "../../graph/graph.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Target } from "../../plan/plan.ts";
import type { LayerFacts } from "../form.ts";
import { biasUse } from "./biasUse.ts";
import type { DotData } from "./data.ts";
import { extentOf } from "./geometry.ts";
import { headroomBits } from "./headroom.ts";

export function dotFacts(data: DotData, graph: Graph, target: Target): LayerFacts {
  const term = data.bias[0];
  const use = biasUse(data);
  const biases =
    term?.encoding && use !== "none" && use !== "float"
      ? [{ tensor: term.value, bits: gridOf(term.encoding.type).bits, ...fate(use, hasIntegerBias(target), target) }]
      : [];
  const { columns, groups } = extentOf(data.geometry);
  return { channels: columns * groups, headroomBits: headroomBits(data, graph, hasIntegerBias(target)), biases };
}

function fate(
  use: "applied" | "grid" | "ignored",
  integerBias: boolean,
  target: Target,
): { use: "applied" | "accumulator" | "ignored"; reason: string } {
  if (use === "applied") return { use, reason: "up to 16 bit: part of the simulation, quantize-dequantized in every target" };
  if (use === "ignored")
    return { use, reason: "its scale is not input scale · weight scale: it describes no accumulator, the grid of the accumulator is used" };
  if (integerBias)
    return { use: "accumulator", reason: `target ${target} quantizes the bias on the accumulator's grid, which this encoding states` };
  return { use: "ignored", reason: `32 bit describes a device: target ${target} keeps the bias as the simulation has it` };
}

function hasIntegerBias(target: Target): boolean {
  return targetRow(target).bias === "int32";
}
