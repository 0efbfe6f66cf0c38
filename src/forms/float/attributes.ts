/** Reading parsed attributes whose type only the operator knows. */

/** A numeric attribute (booleans as 1 or 0). */
export function attribute(attrs: unknown, name: string): number {
  const value = (attrs as Readonly<Record<string, unknown>>)[name];
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw new Error(`internal: attribute '${name}' is not a number`);
}

/** A text attribute. */
export function textAttribute(attrs: unknown, name: string): string {
  const value = (attrs as Readonly<Record<string, unknown>>)[name];
  if (typeof value !== "string") throw new Error(`internal: attribute '${name}' is not a string`);
  return value;
}

/** A list attribute; undefined when absent. */
export function listAttribute(attrs: unknown, name: string): readonly number[] | undefined {
  const value = (attrs as Readonly<Record<string, unknown>>)[name];
  return Array.isArray(value) ? (value as number[]) : undefined;
}
