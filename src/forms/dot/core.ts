/** The dot form as compiling needs it: convolutions, transposed convolutions and matrix products with their bias and activation. */
import type { CoreForm } from "../form.ts";
import type { DotData } from "./data.ts";
import { lowerDot } from "./lower.ts";
import { matchDot } from "./match.ts";

export const dotCore: CoreForm<DotData> = {
  name: "dot",
  match: matchDot,
  lower: (data, _layer, ctx) => lowerDot(data, ctx),
};
