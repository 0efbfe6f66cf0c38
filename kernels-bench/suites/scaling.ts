/** Suite scaling: time against M, N, K, channels, image side and batch; everything else fixed. */
import { kernelsFor } from "../../src/runtime/kernelSource.ts";
import { compileAt, openHome, outputCodes, runner } from "../compiled.ts";
import { wrongOutput } from "../dotCheck.ts";
import { buildLayer, type DotLayer, inputOf, layerMacs } from "../dotLayers.ts";
import { type Context, column, peakGops, time } from "../timing.ts";

interface Series {
  readonly axis: string;
  readonly fixed: string;
  readonly values: readonly number[];
  readonly at: (value: number) => { readonly layer: DotLayer; readonly m: number };
}

const matrix = (m: number, n: number, k: number) => ({
  layer: { kind: "matrix", n, k, weights: "int8", activations: "uint8" } as const,
  m,
});
const conv = (batch: number, side: number, channels: number) => ({
  layer: { kind: "conv", batch, side, cin: channels, cout: channels, kernel: 3, stride: 1, groups: 1 } as const,
  m: 1,
});
const powers = (from: number, to: number): number[] => (from > to ? [] : [from, ...powers(2 * from, to)]);

const SERIES: readonly Series[] = [
  { axis: "M", fixed: "N = K = 512", values: powers(1, 4096), at: (m) => matrix(m, 512, 512) },
  { axis: "N", fixed: "M = 64, K = 512", values: powers(8, 4096), at: (n) => matrix(64, n, 512) },
  { axis: "K", fixed: "M = 64, N = 512", values: powers(4, 8192), at: (k) => matrix(64, 512, k) },
  { axis: "channels", fixed: "3x3 @28", values: powers(4, 512), at: (channels) => conv(1, 28, channels) },
  { axis: "image side", fixed: "3x3, 32 channels", values: powers(4, 256), at: (side) => conv(1, side, 32) },
  { axis: "batch", fixed: "3x3 @14, 64 channels", values: powers(1, 64), at: (batch) => conv(batch, 14, 64) },
];

export async function scaling(context: Context): Promise<void> {
  const { variant, module, geometry } = await kernelsFor("auto");
  const peak = await peakGops(variant);
  for (const { axis, fixed, values, at } of SERIES) {
    if (!axis.includes(context.filter)) continue;
    context.log(`${axis} (${fixed})`);
    for (const value of values) {
      const { layer, m } = at(value);
      const built = buildLayer(layer);
      const input = inputOf(built, m);
      const compiled = compileAt(openHome({ variant, module, geometry }), built.graph, { x: input }, "exact");
      const fault = wrongOutput(built, input, outputCodes(compiled));
      if (fault !== null) {
        context.wrong(`scaling ${axis} ${value}: wrong answer, ${fault}`);
        continue;
      }
      const { minMs, medianMs } = await time(runner(compiled, "layer"), 80);
      const gops = (2 * layerMacs(layer, m)) / minMs / 1e6;
      const row = { suite: "scaling", name: `${axis} ${value}`, axis, fixed, value, runtime: "bitexact", variant, target: "exact" };
      context.emit({ ...row, medianMs, minMs, gops, percentOfPeak: (100 * gops) / peak });
      context.log(
        `${column(value, 6)} ${column(minMs.toFixed(5), 11)} ms ${column(gops.toFixed(1), 6)} GOPS ${column(((100 * gops) / peak).toFixed(0), 4)} % of peak`,
      );
    }
  }
}
