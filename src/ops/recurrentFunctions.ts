/** Gate functions of RNN, GRU and LSTM: names with their defaults, the scalar functions, and how an error passes through them. */
import { exp, log, tanh } from "../numerics/elementary.ts";
import type { Round } from "./arrays.ts";
import { attributeError } from "./attributes.ts";
import { ELEMENTARY_UNITS } from "./bounds.ts";

export interface GateFunction {
  readonly name: GateName;
  readonly alpha: number;
  readonly beta: number;
}

export type GateName = keyof typeof FUNCTIONS;

interface Definition {
  readonly alpha?: number; // default of a function that takes it
  readonly beta?: number;
  readonly scalar: (x: number, round: Round, alpha: number, beta: number) => number;
  /** Rounding error of one evaluation in units of the roundoff, given |x| and |y|. */
  readonly units: (magnitude: number, y: number, alpha: number, beta: number) => number;
}

function sigmoidOf(x: number, round: Round): number {
  return round(1 / round(1 + round(exp(-x))));
}

/** log(exp(x) + 1). exp overflows where the result is x itself to the last bit. */
function softplusOf(x: number, round: Round): number {
  const e = round(exp(x));
  return e === Infinity ? x : round(log(round(e + 1)));
}

const FUNCTIONS = {
  relu: { scalar: (x) => (x < 0 ? 0 : x), units: () => 0 },
  tanh: { scalar: (x, round) => round(tanh(x)), units: (_m, y) => ELEMENTARY_UNITS * y },
  sigmoid: { scalar: sigmoidOf, units: (_m, y) => (ELEMENTARY_UNITS + 3) * y },
  affine: {
    alpha: 1,
    beta: 0,
    scalar: (x, round, alpha, beta) => round(round(alpha * x) + beta),
    units: (m, y, alpha) => Math.abs(alpha) * m + y,
  },
  leakyRelu: { alpha: 0.01, scalar: (x, round, alpha) => (x < 0 ? round(alpha * x) : x), units: (_m, y) => y },
  thresholdedRelu: { alpha: 1, scalar: (x, _round, alpha) => (x > alpha ? x : 0), units: () => 0 },
  scaledTanh: {
    alpha: 1,
    beta: 1,
    scalar: (x, round, alpha, beta) => round(alpha * round(tanh(round(beta * x)))),
    units: (m, y, alpha, beta) => (ELEMENTARY_UNITS + 1) * y + Math.abs(alpha * beta) * m,
  },
  hardSigmoid: {
    alpha: 0.2,
    beta: 0.5,
    scalar: (x, round, alpha, beta) => Math.max(0, Math.min(1, round(round(alpha * x) + beta))),
    units: (m, _y, alpha, beta) => 2 * Math.abs(alpha) * m + Math.abs(beta),
  },
  elu: {
    alpha: 1,
    scalar: (x, round, alpha) => (x < 0 ? round(alpha * round(round(exp(x)) - 1)) : x),
    units: (_m, y, alpha) => ELEMENTARY_UNITS * (y + Math.abs(alpha)) + 2 * y,
  },
  softsign: { scalar: (x, round) => round(x / round(1 + Math.abs(x))), units: (_m, y) => 2.01 * y },
  softplus: { scalar: softplusOf, units: (_m, y) => (ELEMENTARY_UNITS + 1) * y + ELEMENTARY_UNITS + 1 },
} satisfies Readonly<Record<string, Definition>>;

const NAMES = Object.keys(FUNCTIONS) as GateName[];

/** The functions an `activations` attribute names, in any case; alphas and betas go, in order, to the functions that take one.
 *  throws ModelError "op/attribute". */
export function gateFunctions(names: readonly string[], alphas: readonly number[], betas: readonly number[]): GateFunction[] {
  let [nextAlpha, nextBeta] = [0, 0];
  return names.map((given) => {
    const name = NAMES.find((known) => known.toLowerCase() === given.toLowerCase());
    if (!name) throw attributeError("activations", `found '${given}', expected one of ${NAMES.join(", ")}`);
    const { alpha, beta }: Definition = FUNCTIONS[name];
    return {
      name,
      alpha: alpha === undefined ? 0 : (alphas[nextAlpha++] ?? Math.fround(alpha)),
      beta: beta === undefined ? 0 : (betas[nextBeta++] ?? Math.fround(beta)),
    };
  });
}

/** The function at the precision of `round`. */
export function scalarOf({ name, alpha, beta }: GateFunction, round: Round): (x: number) => number {
  const { scalar }: Definition = FUNCTIONS[name];
  return (x) => scalar(x, round, alpha, beta);
}

/** Bound of |computed f(x') − f(x)| for |x' − x| ≤ e. All functions but these with a negative factor are monotone (Affine and ScaledTanh
 *  either way), so the ends of the interval bound the spread. */
export function functionBound({ name, alpha, beta }: GateFunction, x: number, e: number, unit: number): number {
  const definition: Definition = FUNCTIONS[name];
  const bends = name === "leakyRelu" || name === "elu" || name === "thresholdedRelu";
  if (bends && alpha < 0 && e > 0) return Infinity;
  const f = (at: number): number => definition.scalar(at, (v) => v, alpha, beta);
  const y = f(x);
  const spread = e === 0 ? 0 : Math.max(Math.abs(f(x + e) - y), Math.abs(f(x - e) - y));
  return spread + unit * definition.units(Math.abs(x) + e, Math.abs(y) + spread, alpha, beta);
}
