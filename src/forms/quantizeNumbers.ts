/** Plain numbers as codes. */
import type { Numbers } from "../ops/op.ts";
import { codeOf, type Levels } from "./codes.ts";

export function quantizeNumbers(real: Numbers, levels: Levels): Numbers {
  const data = new Float64Array(real.data.length);
  for (let i = 0; i < data.length; i++) data[i] = codeOf(real.data[i]!, levels);
  return { dims: real.dims, data };
}
