/** Kinds of attributes that operators beyond the core have. */
import type { ConstantTensor } from "../graph/graph.ts";
import { type AttrReader, float, int, isTensor, optionalInts } from "./attributes.ts";
import { floats } from "./deferred.ts";

/** Any string, carried and not interpreted. */
export function string(fallback: string): AttrReader<string> {
  return (value, name) => {
    if (value === undefined) return fallback;
    if (typeof value === "string") return value;
    throw floats().attributeKind(value, name, "a string");
  };
}

export function ints(fallback?: readonly number[]): AttrReader<readonly number[]> {
  return (value, name) => {
    const list = optionalInts()(value, name) ?? fallback;
    if (!list) throw floats().missingAttribute(name, "a list of integers");
    return list;
  };
}

/** A list of float32 values. */
export function optionalFloats(): AttrReader<readonly number[] | undefined> {
  return (value, name) => {
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === "number" && !Number.isNaN(item)))
      return (value as number[]).map(Math.fround);
    throw floats().attributeKind(value, name, "a list of floats");
  };
}

export function optionalTensor(): AttrReader<ConstantTensor | undefined> {
  return (value, name) => {
    if (value === undefined) return undefined;
    if (isTensor(value)) return value;
    throw floats().attributeKind(value, name, "a tensor");
  };
}

export function optionalInt(): AttrReader<number | undefined> {
  return (value, name) => (value === undefined ? undefined : int()(value, name));
}

export function optionalFloat(): AttrReader<number | undefined> {
  return (value, name) => (value === undefined ? undefined : float()(value, name));
}
