/** A random quantized graph being written: grids, codes, and nodes in one of the two forms. */
import type { GraphBuilder } from "../../src/graph/build.ts";
import type { Attr } from "../../src/graph/graph.ts";
import type { Pcg32 } from "../../src/numerics/pcg32.ts";

export type Form = "QOperator" | "QDQ";
export type Code = "uint8" | "int8";

/** Scale and zero point: names of constants, and the scale itself. */
export interface Grid {
  readonly scale: string;
  readonly zero: string;
  readonly step: number;
}

/** A tensor of codes. */
export interface Codes extends Grid {
  readonly id: string;
  readonly dims: readonly number[];
}

export interface Draft {
  readonly random: Pcg32;
  readonly b: GraphBuilder;
  readonly form: Form;
  readonly type: Code;
  readonly ties: boolean; // scales whose ratios make ties
  readonly made: Codes[];
  count: number;
}

export const MS = "com.microsoft";
export const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
export const below = (random: Pcg32, count: number): number => Math.floor(random.float() * count);
export const pick = <T>(random: Pcg32, from: readonly T[]): T => from[below(random, from.length)]!;

export function newName(draft: Draft, prefix: string): string {
  return `${prefix}${draft.count++}`;
}

/** Around 2^exponent; powers of two and simple multiples where ties are wanted. */
export function randomScale({ random, ties }: Draft, exponent: number): number {
  if (ties) return Math.fround(2 ** Math.round(exponent) * pick(random, [1, 0.5, 0.25, 0.75, 1 / 7, 2]));
  return Math.fround(2 ** (exponent + random.uniform(-1.5, 1.5)));
}

export function constant(
  draft: Draft,
  data: readonly number[],
  dims: readonly number[],
  type: "float32" | "int64" | "int32" | Code,
): string {
  return draft.b.constant(newName(draft, "c"), data, dims, type);
}

export function gridOf(draft: Draft, step: number, zero: number): Grid {
  return { scale: constant(draft, [step], [], "float32"), zero: constant(draft, [zero], [], draft.type), step };
}

/** A random grid around 2^exponent. */
export function randomGrid(draft: Draft, exponent: number): Grid {
  const low = draft.type === "int8" ? -128 : 0;
  return gridOf(draft, randomScale(draft, exponent), pick(draft.random, [0, 128, 255, below(draft.random, 256)]) + low);
}

/** The layer's result under a new name. */
export function result(draft: Draft, dims: readonly number[], grid: Grid): Codes {
  const codes = { id: newName(draft, "t"), dims, scale: grid.scale, zero: grid.zero, step: grid.step };
  draft.made.push(codes);
  return codes;
}

/** Codes moved by an operator that takes them as they are; now and then between quantizers of their grid. `rest`: inputs that are no codes. */
export function move(
  draft: Draft,
  op: string,
  from: Codes,
  dims: readonly number[],
  attrs: Record<string, Attr> = {},
  rest: readonly string[] = [],
): Codes {
  const to = result(draft, dims, from);
  if (draft.form === "QOperator" || draft.random.float() < 0.4) emit(draft, op, [from.id, ...rest], to.id, attrs);
  else between(draft, op, [from], to, attrs, rest);
  return to;
}

/** x → DequantizeLinear → operator → QuantizeLinear. */
export function between(
  draft: Draft,
  op: string,
  inputs: readonly Codes[],
  to: Codes,
  attrs: Record<string, Attr> = {},
  rest: readonly string[] = [],
): void {
  quantized(draft, op, [...inputs.map((codes) => dequantize(draft, operands(codes))), ...rest], to, attrs);
}

/** A float operator and its quantizer. */
export function quantized(draft: Draft, op: string, floats: readonly string[], to: Codes, attrs: Record<string, Attr> = {}): void {
  const real = draft.b.node(op, floats, { attrs, outputs: [newName(draft, "r")] });
  emit(draft, "QuantizeLinear", [real, to.scale, to.zero], to.id);
}

export function dequantize(draft: Draft, inputs: readonly string[], attrs: Record<string, Attr> = {}): string {
  return draft.b.node("DequantizeLinear", inputs, { attrs, outputs: [newName(draft, "d")] });
}

/** A node whose result is codes. */
export function emit(
  draft: Draft,
  op: string,
  inputs: readonly string[],
  out: string,
  attrs: Record<string, Attr> = {},
  domain = "",
): void {
  draft.b.node(op, inputs, { attrs, domain, outputs: [out] });
  draft.b.describe(out, null, draft.type);
}

export const operands = (...codes: readonly Codes[]): string[] => codes.flatMap(({ id, scale, zero }) => [id, scale, zero]);
