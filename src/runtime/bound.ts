/** BoundPlan: a plan tied to a machine, everything a run needs looked up beforehand. */
import { FAULT_ADDRESS } from "../kernels/fault.ts";
import type { Plan } from "../plan/plan.ts";
import { type FeedRule, type Feeds, feedRules, type InputSpec } from "./feeds.ts";
import { type Call, callsOf, type Machine, runCalls, settle } from "./machine.ts";
import { fillGate, type Gate, gateOf } from "./ports.ts";
import { type Delivery, deliveriesOf, fetched } from "./results.ts";

export interface BoundPlan {
  readonly plan: Plan;
  readonly key: string;
  readonly asked: "all" | readonly string[]; // captures
  readonly rules: readonly FeedRule[];
  readonly calls: readonly Call[];
  views: Views;
  proving: boolean; // proofs are done or on their way
}

/** What ends when the memory grows. */
export interface Views {
  readonly buffer: ArrayBuffer;
  readonly fault: Uint32Array; // the word in which kernels report numbers out of range
  readonly inputs: readonly Gate[];
  readonly outputs: readonly Gate[];
  readonly captures: readonly Gate[];
  readonly floats: readonly Delivery[]; // of a run without fetches
  readonly codes: readonly Delivery[];
}

/** `plan` is active; its proofs are yet to be attempted. */
export function bindPlan(
  machine: Machine,
  inputs: readonly InputSpec[],
  active: Plan,
  key: string,
  asked: "all" | readonly string[],
): BoundPlan {
  const plan = settle(machine, active);
  const rules = feedRules(
    inputs,
    plan.inputs.map(({ shape }) => shape),
  );
  return { plan, key, asked, rules, calls: callsOf(machine, plan.steps), views: viewsOf(machine, plan), proving: false };
}

function viewsOf(machine: Machine, plan: Plan): Views {
  const [inputs, outputs, captures] = [plan.inputs, plan.outputs, plan.captures].map((ports) => ports.map((port) => gateOf(machine, port)));
  return {
    buffer: machine.buffer,
    fault: new Uint32Array(machine.buffer, FAULT_ADDRESS, 1),
    inputs: inputs!,
    outputs: outputs!,
    captures: captures!,
    floats: deliveriesOf(captures!, outputs!, false),
    codes: deliveriesOf(captures!, outputs!, true),
  };
}

/** Whether the plan was made for these captures. */
export function sameCaptures(a: "all" | readonly string[], b: "all" | readonly string[]): boolean {
  if (a === b) return true;
  if (a === "all" || b === "all" || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The views of a plan that is active on the machine. */
export function currentViews(machine: Machine, bound: BoundPlan): Views {
  if (bound.views.buffer !== machine.buffer) bound.views = viewsOf(machine, bound.plan);
  return bound.views;
}

/** What a run returns. throws ModelError "run/unknown-output". */
export function deliveries(views: Views, quantized: boolean, fetches: readonly string[] | undefined): readonly Delivery[] {
  if (fetches) return deliveriesOf(views.captures, fetched(views.outputs, fetches), quantized);
  return quantized ? views.codes : views.floats;
}

/** Puts the feeds, checked before, into memory, quantized where they are float32 of encoded values. */
export function enterFeeds(inputs: readonly Gate[], feeds: Feeds): void {
  for (const gate of inputs) if (fillGate(gate, feeds[gate.name]!)) runCalls(gate.convert);
}
