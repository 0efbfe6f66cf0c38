/** Profile: how long each step of a session's plan takes. Its own loop times the steps; runs are never timed inside. */
import { nodeMacs } from "../passes/macs.ts";
import type { Prepared } from "../passes/prepare.ts";
import type { Step } from "../plan/plan.ts";
import type { BoundPlan, Views } from "../runtime/bound.ts";
import type { Feeds } from "../runtime/feeds.ts";
import { type Call, callsOf, type Machine } from "../runtime/machine.ts";
import { fillGate, type Gate } from "../runtime/ports.ts";
import type { RunOptions } from "../runtime/runner.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { clockGrain, repeatsFor } from "./clock.ts";

export interface StepProfile {
  readonly node: string; // of the graph, or a value that is converted or transposed
  readonly op: string; // operators of the node's layer, "Conv+Relu"; "" for a value
  readonly kernel: string;
  readonly units: number;
  readonly medianUs: number;
  readonly minUs: number;
  readonly macs: number; // its share of the node's; 0 for steps that do not multiply
  readonly startUs: number; // in the fastest pass
  readonly durationUs: number;
}

export interface SessionProfile {
  readonly steps: readonly StepProfile[]; // in the order of execution
  readonly medianMs: number; // of whole runs, JavaScript included
  readonly minMs: number;
}

/** What a run executes. prepared: the layers behind it, null where they are not known. */
export interface Anatomy {
  readonly machine: Machine;
  readonly bound: BoundPlan;
  readonly views: Views;
  readonly prepared: Prepared | null;
}

/** Sessions of models and of compiled ones. */
export interface Profiled {
  runSync(feeds: Feeds, options?: RunOptions): Record<string, Tensor>;
  proveNow(): Promise<void>;
  anatomy(feeds: Feeds): Anatomy;
}

const WARM_UP_MS = 100;
const WARM_UP_RUNS = 2000;

/** Runs `feeds` `runs` times as users do, and as often step by step. Epilogues are proven before, and the code is warm. Where the clock is too
 *  coarse, as in browsers, each step, and each run, is repeated until it can be timed: then its operands are in the cache.
 *  throws ModelError "run/…". */
export async function profileSession(session: Profiled, feeds: Feeds, runs: number): Promise<SessionProfile> {
  const outputs = session.runSync(feeds);
  await session.proveNow();
  const { machine, bound, views, prepared } = session.anatomy(feeds);
  const pass = timedPass(feeds, bound, views, (steps) => callsOf(machine, steps));
  for (let n = 0, end = performance.now() + WARM_UP_MS; n < 2 || (n < WARM_UP_RUNS && performance.now() < end); n++) {
    session.runSync(feeds, { outputs });
    pass.run();
  }
  const grain = clockGrain();
  const whole = repeatsFor(grain, () => session.runSync(feeds, { outputs }));
  pass.adapt(grain);
  const wholes = new Float64Array(runs);
  const times = pass.steps.map(() => new Float64Array(runs));
  let fastest: Float64Array | null = null;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    for (let i = 0; i < whole; i++) session.runSync(feeds, { outputs });
    wholes[run] = (performance.now() - start) / whole;
    const marks = pass.run();
    if (!fastest || total(marks) < total(fastest)) fastest = marks;
    for (const [i, list] of times.entries()) list[run] = 1000 * durationOf(marks, i, pass);
  }
  const { steps } = pass;
  const macs = prepared ? stepMacs(steps, prepared) : steps.map(() => 0);
  const ops = prepared ? layerOps(prepared) : new Map<string, string>();
  return {
    steps: steps.map(({ node, kernel, units }, i) => ({
      ...{ node, op: ops.get(node) ?? "", kernel, units, medianUs: median(times[i]!), minUs: times[i]!.reduce((a, b) => Math.min(a, b)) },
      macs: macs[i]!,
      startUs: 1000 * (fastest![2 * i]! - fastest![0]!),
      durationUs: 1000 * durationOf(fastest!, i, pass),
    })),
    medianMs: median(wholes),
    minMs: wholes.reduce((a, b) => Math.min(a, b)),
  };
}

interface Pass {
  readonly steps: readonly Step[];
  readonly overhead: number; // milliseconds between two readings of the clock
  readonly repeats: Int32Array; // of each step, between two readings
  /** Repeats steps that are too short for a clock of this grain. */
  adapt(grain: number): void;
  /** Start and end of each step, in milliseconds. */
  run(): Float64Array;
}

/** Every step a run executes: conversions of inputs, the plan's own, conversions of outputs. */
function timedPass(feeds: Feeds, { plan, calls }: BoundPlan, { inputs, outputs }: Views, bind: (steps: readonly Step[]) => Call[]): Pass {
  const converted = inputs.filter((gate) => fillGate(gate, feeds[gate.name]!));
  const leaving = outputs.filter((gate) => gate.codes !== null);
  const convert = (gates: readonly Gate[]): Step[] => gates.flatMap(({ port }) => port.convert);
  const [before, after] = [convert(converted), convert(leaving)];
  const steps = [...before, ...plan.steps, ...after];
  const all = [...bind(before), ...calls, ...bind(after)];
  const repeats = new Int32Array(all.length).fill(1);
  return {
    steps,
    overhead: clockOverhead(),
    repeats,
    adapt(grain) {
      for (const [i, { kernel, args, units }] of all.entries()) repeats[i] = repeatsFor(grain, () => kernel(args, 0, units));
    },
    run() {
      const marks = new Float64Array(2 * all.length);
      for (const gate of inputs) fillGate(gate, feeds[gate.name]!);
      for (let i = 0; i < all.length; i++) {
        const { kernel, args, units } = all[i]!;
        const times = repeats[i]!;
        marks[2 * i] = performance.now();
        for (let n = 0; n < times; n++) kernel(args, 0, units);
        marks[2 * i + 1] = performance.now();
      }
      return marks;
    },
  };
}

function clockOverhead(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5000; i++) {
    const start = performance.now();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function durationOf(marks: Float64Array, i: number, { overhead, repeats }: Pass): number {
  return Math.max(0, marks[2 * i + 1]! - marks[2 * i]! - overhead) / repeats[i]!;
}

function total(marks: Float64Array): number {
  return marks.length === 0 ? 0 : marks.at(-1)! - marks[0]!;
}

function median(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1] ?? 0;
}

/** Kernels that multiply for a dot product, by the naming rule of kernels; the others prepare or finish. */
const MULTIPLIES = /gem[mv]|conv(?!ert)|matmul|panels|recurrent/;

/** A node's multiply-accumulates, shared evenly among the steps that multiply for it (groups, planes, blocks). */
function stepMacs(steps: readonly Step[], { graph }: Prepared): number[] {
  const macs = new Map(graph.nodes.map((node) => [node.id, nodeMacs(graph, node)]));
  const shares = new Map<string, number>();
  const multiplies = ({ kernel }: Step): boolean => MULTIPLIES.test(kernel);
  for (const step of steps) if (multiplies(step)) shares.set(step.node, (shares.get(step.node) ?? 0) + 1);
  return steps.map((step) => (multiplies(step) ? (macs.get(step.node) ?? 0) / shares.get(step.node)! : 0));
}

function layerOps({ layers }: Prepared): Map<string, string> {
  return new Map(layers.flatMap(({ layer }) => layer.nodes.map(({ id }) => [id, layer.nodes.map(({ op }) => op).join("+")] as const)));
}
