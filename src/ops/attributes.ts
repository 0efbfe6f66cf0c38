/** Typed reading of node attributes: a schema per operator gives every attribute its kind, default and allowed values. */
import { modelError } from "../errors.ts";
import type { Attr, Attrs, ConstantTensor } from "../graph/graph.ts";
import { floats } from "./deferred.ts";

/** Reads one attribute; `value` is undefined when the node does not carry it. */
export type AttrReader<T> = (value: Attr | undefined, name: string) => T;

export type AttrSchema = { readonly [name: string]: AttrReader<unknown> };

type Parsed<S extends AttrSchema> = { readonly [K in keyof S]: ReturnType<S[K]> };

export function attributeError(name: string, message: string): Error {
  return modelError("op/attribute", `attribute '${name}': ${message}`);
}

/** The record of a node's attributes by `schema`. Attributes outside the schema are refused. throws ModelError "op/attribute". */
export function readAttrs<S extends AttrSchema>(attrs: Attrs, schema: S): Parsed<S> {
  const known = Object.keys(schema);
  for (const name of attrs.keys()) {
    if (known.includes(name)) continue;
    throw floats().unknownAttribute(name, known);
  }
  const out: { [name: string]: unknown } = {};
  for (const name of known) out[name] = schema[name]?.(attrs.get(name), name);
  return out as Parsed<S>;
}

/** No attributes at all. */
export function noAttrs(attrs: Attrs): object {
  return readAttrs(attrs, {});
}

/** `value`, for operators whose attributes became inputs: the node must carry none. */
export function withoutAttrs<T>(attrs: Attrs, value: T): T {
  noAttrs(attrs);
  return value;
}

/** An integer; required when `fallback` is absent. */
export function int(fallback?: number): AttrReader<number> {
  return (value, name) => {
    if (value === undefined) return orRequired(fallback, name, "an integer");
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw floats().attributeKind(value, name, "an integer");
  };
}

/** A 0/1 integer as a boolean. */
export function flag(fallback: boolean): AttrReader<boolean> {
  return (value, name) => {
    if (value === undefined) return fallback;
    if (value === 0 || value === 1) return value === 1;
    throw floats().attributeKind(value, name, "0 or 1");
  };
}

/** A float attribute: always a float32 value. */
export function float(fallback?: number): AttrReader<number> {
  return (value, name) => {
    if (value === undefined) return Math.fround(orRequired(fallback, name, "a float"));
    if (typeof value === "number" && !Number.isNaN(value)) return Math.fround(value);
    throw floats().attributeKind(value, name, "a float");
  };
}

/** One of `allowed`; the first is the default. */
export function oneOf<T extends string>(...allowed: readonly [T, ...T[]]): AttrReader<T> {
  return (value, name) => {
    if (value === undefined) return allowed[0];
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw floats().attributeKind(value, name, `one of ${allowed.join(", ")}`);
    return found;
  };
}

export function optionalInts(): AttrReader<readonly number[] | undefined> {
  return (value, name) => {
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => Number.isInteger(item))) return value as readonly number[];
    throw floats().attributeKind(value, name, "a list of integers");
  };
}

export function isTensor(value: Attr): value is ConstantTensor {
  return typeof value === "object" && !Array.isArray(value) && "dims" in value && "data" in value;
}

function orRequired<T>(fallback: T | undefined, name: string, kind: string): T {
  if (fallback === undefined) throw floats().missingAttribute(name, kind);
  return fallback;
}
