/** What becomes of the encoding of a layer's bias. */
import { type Encoding, gridOf } from "../../encodings/encoding.ts";
import type { DotData } from "./data.ts";
import { scaleReader } from "./operands.ts";

/** How the bias of a layer is treated, for inspection. `ignored`: a 32-bit encoding that is not the accumulator's grid. */
export type BiasUse = "none" | "float" | "applied" | "grid" | "ignored";

/** What becomes of the first bias's encoding. A 32-bit one describes the accumulator's grid sx·sw (LPBQ: sx·channelScale)
 *  and is dropped when it differs from it by more than 2^-20 relative. */
export function biasUse(data: DotData): BiasUse {
  const term = data.bias[0];
  if (!term) return "none";
  const { encoding } = term;
  if (!encoding) return "float";
  if (gridOf(encoding.type).bits <= 16) return "applied";
  return onAccumulatorGrid(data, encoding) ? "grid" : "ignored";
}

function onAccumulatorGrid(data: DotData, encoding: Encoding): boolean {
  const scaleAt = scaleReader(data);
  const sx = data.aEncoding.scale[0]!;
  for (let n = 0; n < data.channels; n++) {
    const grid = sx * scaleAt(0, n, 0) * data.alpha;
    const scale = encoding.scale[encoding.scale.length === 1 ? 0 : n];
    if (scale === undefined || Math.abs(scale - grid) > Math.abs(grid) * 2 ** -20) return false;
  }
  return true;
}
