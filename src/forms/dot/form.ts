/** The dot form with its integers in TypeScript, its judge and what reports say of it. */
export { lowerDotReal } from "./lowerReal.ts";

import { defineForm } from "../form.ts";
import { dotCore } from "./core.ts";
import type { DotData } from "./data.ts";
import { dotFacts } from "./facts.ts";
import { judgeDot } from "./judge.ts";
import { referenceDot } from "./reference.ts";

export type { DotData } from "./data.ts";
export { matchDotNode } from "./match.ts";
export { referenceDotReal } from "./reference.ts";

export const dotForm = defineForm<DotData>({
  ...dotCore,
  reference: (data, _layer, graph, inputs, target) => [referenceDot(data, graph, inputs, target)],
  judge: (data, _layer, graph, inputs, source, target) => [judgeDot(data, graph, inputs, source, target)],
  facts: (data, _layer, graph, target) => dotFacts(data, graph, target),
});
