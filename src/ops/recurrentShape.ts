/** What RNN, GRU and LSTM have in common: parsed attributes, extents, and where steps and states lie. */
import type { GateFunction } from "./recurrentFunctions.ts";

export type RecurrentKind = "RNN" | "GRU" | "LSTM";

export interface RecurrentAttrs {
  readonly kind: RecurrentKind;
  readonly hidden: number | undefined; // as the node says; the weights decide
  readonly directions: 1 | 2;
  readonly backward: boolean; // a single direction that runs from the end
  readonly functions: readonly (readonly GateFunction[])[]; // per direction: f, g, h
  readonly clip: number; // Infinity: none
  readonly batchFirst: boolean;
  readonly inputForget: boolean;
  readonly linearBeforeReset: boolean;
}

/** Gates per kind: RNN i; GRU z, r, h; LSTM i, o, f, c. */
export const GATES: Readonly<Record<RecurrentKind, number>> = { RNN: 1, GRU: 3, LSTM: 4 };

/** Extents of a recurrent operator, from its operands. */
export interface Extents {
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly gates: number;
}

/** The extents that dims of X and R give. */
export function extentsOf(x: readonly number[], r: readonly number[], attrs: RecurrentAttrs): Extents {
  const [first = 0, second = 0, inputs = 0] = x;
  const [steps, batch] = attrs.batchFirst ? [second, first] : [first, second];
  return { steps, batch, inputs, hidden: r[2] ?? 0, gates: GATES[attrs.kind] };
}

/** Offsets of step t, direction d, row b in X, in Y and in the states. */
export function recurrentOffsets({ steps, batch, inputs, hidden }: Extents, { directions, batchFirst }: RecurrentAttrs) {
  return {
    x: (t: number, b: number): number => (batchFirst ? b * steps + t : t * batch + b) * inputs,
    y: (t: number, d: number, b: number): number =>
      (batchFirst ? (b * steps + t) * directions + d : (t * directions + d) * batch + b) * hidden,
    state: (d: number, b: number): number => (batchFirst ? b * directions + d : d * batch + b) * hidden,
  };
}
