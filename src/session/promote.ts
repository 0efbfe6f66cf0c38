/** Promote: proves, panel by panel, that a cheaper epilogue gives the same integers, and switches to it in place. Loaded after the first run. */
import { EPILOGUE_MODES, HEADER } from "../kernels/epilogue.ts";
import { leaveSingle, promoteDouble, promoteFixed64, promoteSingle, readPanel } from "../kernels/epiloguePromotion.ts";
import { proveDouble, proveFixed64 } from "../numerics/prove.ts";
import { proveSingle } from "../numerics/proveSingle.ts";
import type { ProofChannel } from "../numerics/target.ts";
import type { Plan } from "../plan/plan.ts";
import type { BoundPlan } from "../runtime/bound.ts";
import type { Machine } from "../runtime/machine.ts";

export type EpilogueChoice = "fixed64" | "double" | "nearTie";

/** The cheapest epilogue that provably serves all channels of a panel, and its constants. */
export function choosePanel(channels: readonly ProofChannel[]): { choice: EpilogueChoice; fixed: ReturnType<typeof proveFixed64> } {
  const fixed = proveFixed64(channels);
  if (fixed) return { choice: "fixed64", fixed };
  return { choice: channels.every((channel) => proveDouble(channel)) ? "double" : "nearTie", fixed: null };
}

/** Yields after each panel. `machine` gives the live machine, or null once the session is disposed. Panels in mode single lose its filter where
 *  float32 is proven, keep it where it is not, and leave for another mode where their scales tie often; `every`: they leave in any case. */
export function* promote(plan: Plan, machine: () => Machine | null, every = false): Generator<void> {
  yield* promoteIn(
    plan,
    (address) => {
      const live = machine();
      return live && homes(plan, live, address);
    },
    every,
  );
}

/** Ahead of time: in the plan's own bytes, before they are in any memory. */
export function promoteAhead(plan: Plan): void {
  for (const _ of promoteIn(plan, (address) => [regionOf(plan, address)], false));
}

function* promoteIn(plan: Plan, regions: (address: number) => readonly DataView[] | null, every: boolean): Generator<void> {
  for (const proof of plan.proofs) {
    for (let panel = 0; panel < proof.panels; panel++) {
      const views = regions(proof.epilogueAddress);
      if (!views) return;
      const { mode, channels } = readPanel(views[0]!, panel, proof);
      if (mode === EPILOGUE_MODES.nearTie || (mode === EPILOGUE_MODES.single && every)) promotePanel(views, panel, channels, mode);
      else if (mode === EPILOGUE_MODES.single) promoteSingles(views, panel, channels);
      yield;
    }
  }
}

/** Promotes a panel per turn of the thread, as long as the session lives. */
export function promoteInSlices(plan: Plan, machine: () => Machine | null): void {
  const steps = promote(plan, machine);
  const slice = (): void => {
    if (!machine() || steps.next().done) return;
    const timer: unknown = setTimeout(slice, 0);
    (timer as { unref?(): void }).unref?.();
  };
  slice();
}

/** Promotes all panels of these plans at once. */
export function promoteAll(plans: readonly BoundPlan[], machine: () => Machine | null, every: boolean): void {
  for (const bound of plans) {
    bound.proving = true;
    for (const _ of promote(bound.plan, machine, every));
  }
}

function promoteSingles(views: readonly DataView[], panel: number, channels: readonly ProofChannel[]): void {
  const margin = 0.5 - views[0]!.getFloat32(HEADER.nearSingle, true);
  const proven: { readonly mul32: number; readonly add32: number }[] = [];
  for (const channel of channels) {
    const proof = proveSingle(channel, margin);
    if (proof === "none") return;
    if (proof === "heavy") {
      promotePanel(views, panel, channels, EPILOGUE_MODES.single);
      return;
    }
    proven.push(proof);
  }
  for (const bytes of views) promoteSingle(bytes, panel, proven);
}

function promotePanel(views: readonly DataView[], panel: number, channels: readonly ProofChannel[], mode: number): void {
  const { choice, fixed } = choosePanel(channels);
  for (const bytes of views) {
    if (fixed) promoteFixed64(bytes, panel, fixed);
    else if (choice === "double") promoteDouble(bytes, panel);
    else if (mode === EPILOGUE_MODES.single) leaveSingle(bytes, panel);
  }
}

/** The places an epilogue block lies in: the machine's memory (if this plan's constants or shared weights are there), and the copy that was
 *  set aside for another plan. */
function homes(plan: Plan, machine: Machine, address: number): DataView[] {
  const offset = address - plan.constants.address;
  const aside = machine.aside.get(plan);
  const views: DataView[] = [];
  if (offset >= 0 && aside) views.push(new DataView(aside.buffer, aside.byteOffset + offset));
  if (offset < 0 || machine.current === plan) views.push(new DataView(machine.memory.buffer, address));
  return views;
}

/** A plan's epilogue region before it is in any memory. */
export function regionOf(plan: Plan, address: number): DataView {
  const home = [plan.constants, ...plan.weights].find(({ address: from, bytes }) => address >= from && address < from + bytes.length)!;
  return new DataView(home.bytes.buffer, home.bytes.byteOffset + address - home.address);
}
