/** Suite kernels: every row of the kernel table, as the plan of one layer, and the kernels that move bytes. */
import { loadFull } from "../../src/full.ts";
import { modelOf } from "../../src/model.ts";
import type { Target } from "../../src/plan/plan.ts";
import { kernelsFor } from "../../src/runtime/kernelSource.ts";
import { Session } from "../../src/session/session.ts";
import { compileAt, type Engine, openHome, outputCodes, runner } from "../compiled.ts";
import { wrongOutput } from "../dotCheck.ts";
import { buildLayer, type ConvLayer, type DotLayer, inputOf, layerMacs, type Weights } from "../dotLayers.ts";
import { elementwiseCases } from "../elementwiseCases.ts";
import { type Context, column, peakGops, type Timing, time } from "../timing.ts";

interface Case {
  readonly name: string;
  readonly layer: DotLayer;
  readonly m: number;
  readonly targets: readonly Target[];
  /** Name of the int8 case at the same shape. */
  readonly against?: string;
  readonly call?: boolean; // the whole JavaScript call instead of the kernels
}

const EXACT: readonly Target[] = ["exact"];
const BOTH: readonly Target[] = ["exact", "ort"];

function matrix(name: string, m: number, n: number, k: number, extra: Partial<Case> & { weights?: Weights; wide?: boolean } = {}): Case {
  const { weights = "int8", wide = false, targets = EXACT, ...rest } = extra;
  const layer: DotLayer = { kind: "matrix", n, k, weights, activations: wide ? "uint16" : "uint8" };
  return { name, layer, m, targets, ...rest };
}

function conv(name: string, layer: Omit<ConvLayer, "kind" | "batch">): Case {
  return { name, layer: { kind: "conv", batch: 1, ...layer }, m: 1, targets: BOTH };
}

function depthwise(side: number, channels: number, kernel: number, stride: number): Case {
  return conv(`depthwise ${kernel}x${kernel}${stride > 1 ? ` s${stride}` : ""} ${channels} @${side}`, {
    side,
    cin: channels,
    cout: channels,
    kernel,
    stride,
    groups: channels,
  });
}

const BLOCKED: readonly (readonly [string, Weights])[] = [
  ["int4", "int4"],
  ["LPBQ 32", "lpbq"],
];

const CASES: readonly Case[] = [
  matrix("GEMM 1024x1024x1024", 1024, 1024, 1024, { targets: BOTH }),
  matrix("GEMM 3136x64x576", 3136, 64, 576, { targets: BOTH }),
  matrix("GEMM 64x512x512", 64, 512, 512, { targets: BOTH }),
  matrix("GEMM 256x256x256", 256, 256, 256, { targets: BOTH }),
  matrix("GEMV 1x1024x1024", 1, 1024, 1024),
  matrix("GEMV 1x1024x1024 call", 1, 1024, 1024, { call: true }),
  matrix("GEMV 1x4096x4096", 1, 4096, 4096),
  matrix("GEMV 1x4096x4096 call", 1, 4096, 4096, { call: true }),
  matrix("int8 16x4096x4096", 16, 4096, 4096),
  matrix("int8 128x4096x4096", 128, 4096, 4096),
  ...[1, 16, 128].flatMap((m) =>
    BLOCKED.map(([label, weights]) =>
      matrix(`${label} ${m}x4096x4096`, m, 4096, 4096, { weights, against: m === 1 ? "GEMV 1x4096x4096" : `int8 ${m}x4096x4096` }),
    ),
  ),
  matrix("float blocks 32 1x4096x4096", 1, 4096, 4096, { weights: "float-blocks", against: "GEMV 1x4096x4096" }),
  matrix("8 bit 128x256x512", 128, 256, 512),
  matrix("16 bit x 8 bit 128x256x512", 128, 256, 512, { wide: true, against: "8 bit 128x256x512" }),
  depthwise(56, 144, 3, 1),
  depthwise(28, 192, 3, 1),
  depthwise(14, 384, 3, 1),
  depthwise(7, 960, 3, 1),
  depthwise(112, 96, 3, 2),
  depthwise(28, 240, 5, 1),
  conv("pointwise 16-96 @112", { side: 112, cin: 16, cout: 96, kernel: 1, stride: 1, groups: 1 }),
  conv("pointwise 24-144 @56", { side: 56, cin: 24, cout: 144, kernel: 1, stride: 1, groups: 1 }),
  conv("stem 3x3 s2 3-32 @224", { side: 224, cin: 3, cout: 32, kernel: 3, stride: 2, groups: 1 }),
  conv("conv 3x3 64-64 @56", { side: 56, cin: 64, cout: 64, kernel: 3, stride: 1, groups: 1 }),
  conv("conv 3x3 256-256 @14", { side: 14, cin: 256, cout: 256, kernel: 3, stride: 1, groups: 1 }),
];

export async function kernels(context: Context): Promise<void> {
  await loadFull(); // kernels of float layers
  const { variant, module, geometry } = await kernelsFor("auto");
  const peak = await peakGops(variant);
  context.log(`variant ${variant}; peak of its dot: ${peak.toFixed(0)} GOPS. minimum (median) ms, GOPS = 2 · MAC / minimum`);
  const rates = new Map<string, number>();
  for (const one of CASES) {
    if (!one.name.includes(context.filter)) continue;
    for (const target of one.targets) {
      const timing = one.call
        ? await timeCall(one, { variant, module, geometry }, target)
        : await timeKernels(context, one, { variant, module, geometry }, target);
      if (!timing) continue;
      const gops = (2 * layerMacs(one.layer, one.m)) / timing.minMs / 1e6;
      rates.set(`${one.name} ${target}`, gops);
      const other = one.against ? rates.get(`${one.against} ${target}`) : undefined;
      const share = other ? `  ${(gops / other).toFixed(2)} of ${one.against}` : "";
      report(context, one.name, variant, target, timing, gops, (100 * gops) / peak, share);
    }
  }
  await bytes(context, module, variant);
}

function report(
  context: Context,
  name: string,
  variant: string,
  target: string,
  timing: Timing,
  gops: number,
  percent: number,
  note: string,
): void {
  const { minMs, medianMs } = timing;
  context.emit({ suite: "kernels", name, runtime: "bitexact", variant, target, medianMs, minMs, gops, percentOfPeak: percent });
  const times = `${column(minMs.toFixed(4), 9)} (${medianMs.toFixed(4)})`;
  context.log(
    `${name.padEnd(30)}${target.padEnd(6)}${times} ms ${column(gops.toFixed(1), 6)} GOPS ${column(percent.toFixed(0), 4)} % of peak${note}`,
  );
}

/** The layer's own steps: input and output conversions are not in them. */
async function timeKernels(context: Context, one: Case, engine: Engine, target: Target): Promise<Timing | null> {
  const built = buildLayer(one.layer);
  const input = inputOf(built, one.m);
  const compiled = compileAt(openHome(engine), built.graph, { x: input }, target);
  const codes = outputCodes(compiled);
  const fault =
    target === "exact"
      ? wrongOutput(built, input, codes)
      : farFromExact(codes, outputCodes(compileAt(openHome(engine), built.graph, { x: input }, "exact")));
  if (fault !== null) {
    context.wrong(`${one.name} ${target}: wrong answer, ${fault}`);
    return null;
  }
  return time(runner(compiled, "layer"));
}

/** Target ort rounds bias, factor and value in float32: at most a code away from the exact one. */
function farFromExact(codes: ArrayLike<number>, exact: ArrayLike<number>): string | null {
  for (let i = 0; i < exact.length; i++) if (Math.abs(codes[i]! - exact[i]!) > 1) return `output ${i}: ${codes[i]}, exact ${exact[i]}`;
  return null;
}

/** runSync with codes in and out, tensors preallocated. */
async function timeCall(one: Case, engine: ConstructorParameters<typeof Session>[1], target: Target): Promise<Timing> {
  const built = buildLayer(one.layer);
  const feeds = { x: inputOf(built, one.m) };
  const session = new Session(modelOf(built.graph), engine, target);
  const outputs = session.runSync(feeds, { quantized: true });
  await session.proveNow();
  const options = { quantized: true, outputs };
  return time(() => {
    session.runSync(feeds, options);
  });
}

async function bytes(context: Context, module: WebAssembly.Module, variant: Engine["variant"]): Promise<void> {
  for (const one of elementwiseCases(module, variant)) {
    if (!one.name.includes(context.filter)) continue;
    one.run();
    const fault = one.verify();
    if (fault !== null) {
      context.wrong(`${one.name}: wrong answer, ${fault}`);
      continue;
    }
    const [timing, copy] = [await time(one.run, 150), await time(one.copy, 150)];
    const gbps = one.bytes / timing.minMs / 1e6;
    const percentOfCopy = (100 * copy.minMs) / timing.minMs;
    const { minMs, medianMs } = timing;
    const extra = { gbps, percentOfCopy };
    context.emit({
      suite: "kernels",
      name: one.name,
      runtime: "bitexact",
      variant,
      target: "exact",
      medianMs,
      minMs,
      gops: null,
      percentOfPeak: null,
      ...extra,
    });
    const times = `${column(minMs.toFixed(4), 9)} (${medianMs.toFixed(4)})`;
    context.log(
      `${one.name.padEnd(38)}${times} ms ${column(gbps.toFixed(1), 6)} GB/s ${column(percentOfCopy.toFixed(0), 4)} % of memory.copy`,
    );
  }
}
