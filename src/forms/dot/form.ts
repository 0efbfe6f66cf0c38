/** The dot form: convolutions, transposed convolutions and matrix products with their bias and activation. */
import { defineForm } from "../form.ts";
import type { DotData } from "./data.ts";
import { dotFacts } from "./facts.ts";
import { judgeDot } from "./judge.ts";
import { lowerDot } from "./lower.ts";
import { matchDot } from "./match.ts";
import { referenceDot } from "./reference.ts";

export type { DotData } from "./data.ts";
export { lowerDotReal } from "./lower.ts";
export { matchDotNode } from "./match.ts";
export { referenceDotReal } from "./reference.ts";

export const dotForm = defineForm<DotData>({
  name: "dot",
  match: matchDot,
  reference: (data, _layer, graph, inputs, target) => [referenceDot(data, graph, inputs, target)],
  lower: (data, _layer, ctx) => lowerDot(data, ctx),
  judge: (data, _layer, graph, inputs, source, target) => [judgeDot(data, graph, inputs, source, target)],
  facts: (data, _layer, graph, target) => dotFacts(data, graph, target),
});
