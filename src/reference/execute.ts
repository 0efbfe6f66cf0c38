/** Reference: the graph layer by layer through each form's integer arithmetic in TypeScript. The golden model. */
import { levelsOf, quotientOf } from "../forms/codes.ts";
import { quantizeNumbers } from "../forms/quantizeNumbers.ts";
import { type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import type { Numbers } from "../ops/op.ts";
import type { Prepared } from "../passes/prepare.ts";
import type { Target } from "../plan/plan.ts";

/** Codes of an encoded graph input from plain numbers: RNE(x / scale) + zeroPoint, clamped. Plain numbers of any other. */
export function enterInput(prepared: Prepared, id: ValueId, numbers: Numbers, target: Target): Numbers {
  const value = valueNamed(prepared.graph, id);
  if (!isActivationEncoding(value)) return numbers;
  const encoding = value.encoding!;
  return quantizeNumbers(numbers, levelsOf(encoding), quotientOf(target));
}

/** Codes (encoded) or plain numbers of every value between layers. `entered`: as enterInput gives, or codes fed directly. */
export function executeReference(prepared: Prepared, entered: ReadonlyMap<ValueId, Numbers>, target: Target): Map<ValueId, Numbers> {
  const values = new Map(entered);
  for (const { layer, form, data } of prepared.layers) {
    const outputs = form.reference(data, layer, prepared.graph, values, target);
    layer.outputs.forEach((id, i) => {
      values.set(id, outputs[i]!);
    });
  }
  return values;
}
