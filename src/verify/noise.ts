/** Noise: what quantization itself costs, layer by layer; a measurement beside verification, which asks who computed wrong. */
import type { Encoding } from "../encodings/encoding.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { withValues } from "../graph/rewrite.ts";
import type { Numbers } from "../ops/op.ts";
import type { Prepared } from "../passes/prepare.ts";
import { type SimValue, simulateGraph } from "../sim/simulate.ts";
import { decibels } from "./endToEnd.ts";
import type { NoiseReport } from "./report.ts";

export interface NoiseTally {
  localSignal: number; // Σ (t − zero point)², LSB²
  localNoise: number; // Σ (code − t)²
  signal: number; // Σ float², reals
  noise: number; // Σ (float − runtime)²
  readonly measured: { local: boolean; cumulative: boolean };
}

export function emptyNoise(): NoiseTally {
  return { localSignal: 0, localNoise: 0, signal: 0, noise: 0, measured: { local: false, cumulative: false } };
}

/** The same network with float activations on one sample; constants stay on their grids. `plain`: the graph's inputs as numbers. */
export function floatValues({ graph }: Prepared, plain: ReadonlyMap<string, Numbers>): Map<string, SimValue> {
  const bare = [...graph.values.values()]
    .filter((value) => !value.data && isActivationEncoding(value))
    .map(({ encoding: _, ...value }) => value);
  return simulateGraph(withValues(graph, bare), plain, { precision: "f64", rounding: "halfEven" });
}

/** Adds codes and the exact values they round, both in LSB; values that are not finite are left out. */
export function addLocalNoise(tally: NoiseTally, codes: ArrayLike<number>, exact: ArrayLike<number>, encoding: Encoding): void {
  const zero = encoding.zeroPoint[0]!;
  tally.measured.local = true;
  for (let i = 0; i < codes.length; i++) {
    const t = exact[i]!;
    if (!Number.isFinite(t)) continue;
    const error = codes[i]! - t;
    tally.localSignal += (t - zero) * (t - zero);
    tally.localNoise += error * error;
  }
}

/** Adds the runtime's codes and the float network's values. */
export function addCumulativeNoise(tally: NoiseTally, codes: ArrayLike<number>, floats: ArrayLike<number>, encoding: Encoding): void {
  const scale = encoding.scale[0]!;
  const zero = encoding.zeroPoint[0]!;
  tally.measured.cumulative = true;
  for (let i = 0; i < codes.length; i++) {
    const value = floats[i]!;
    if (!Number.isFinite(value)) continue;
    const error = scale * (codes[i]! - zero) - value;
    tally.signal += value * value;
    tally.noise += error * error;
  }
}

export function noiseOf({ localSignal, localNoise, signal, noise, measured }: NoiseTally): NoiseReport {
  return {
    ...(measured.local ? { localDb: decibels(localSignal, localNoise) } : {}),
    ...(measured.cumulative ? { cumulativeDb: decibels(signal, noise) } : {}),
  };
}
