/** Checks that operators beyond the core make. */
import { constantValues, required, shapeError } from "./checks.ts";
import type { TypeInfo } from "./op.ts";

/** Inputs without absent ones; at least one. */
export function presentInputs(inputs: readonly (TypeInfo | null)[]): TypeInfo[] {
  required(inputs, 0);
  return inputs.map((_, i) => required(inputs, i));
}

/** The single element of a constant scalar input. */
export function constantScalar(info: TypeInfo, index: number): number {
  const values = constantValues(info, index);
  if (values.length !== 1) throw shapeError(`input ${index} has ${values.length} elements, expected one`);
  return values[0] as number;
}
