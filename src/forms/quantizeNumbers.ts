/** Plain numbers as codes. */
import type { Numbers } from "../ops/op.ts";
import { codeIn, type Levels, type Quotient } from "./codes.ts";

export function quantizeNumbers(real: Numbers, levels: Levels, quotient: Quotient = "exact"): Numbers {
  const data = new Float64Array(real.data.length);
  for (let i = 0; i < data.length; i++) data[i] = codeIn(quotient, real.data[i]!, levels);
  return { dims: real.dims, data };
}
