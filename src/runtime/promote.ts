/** Promote: proves, panel by panel, that a cheaper epilogue gives the same integers, and switches to it in place. */
import { promoteDouble, promoteFixed64 } from "../kernels/epilogue.ts";
import { proveDouble, proveFixed64 } from "../numerics/prove.ts";
import type { Plan, Proof, ProofChannel } from "../plan/plan.ts";
import type { Machine } from "./machine.ts";

export type EpilogueChoice = "fixed64" | "double" | "nearTie";
const PANEL_CHANNELS = 8;

/** The cheapest epilogue that provably serves all channels of a panel, and its constants. */
export function choosePanel(channels: readonly ProofChannel[]): { choice: EpilogueChoice; fixed: ReturnType<typeof proveFixed64> } {
  const fixed = proveFixed64(channels);
  if (fixed) return { choice: "fixed64", fixed };
  return { choice: channels.every((channel) => proveDouble(channel)) ? "double" : "nearTie", fixed: null };
}

/** Channels of panel `panel`. */
export function panelChannels(proof: Proof, panel: number): readonly ProofChannel[] {
  return proof.data.slice(panel * PANEL_CHANNELS, (panel + 1) * PANEL_CHANNELS);
}

/** Yields after each panel. `machine` gives the live machine, or null once the session is disposed. */
export function* promote(plan: Plan, machine: () => Machine | null, proofs: readonly Proof[] = plan.proofs): Generator<void> {
  for (const proof of proofs) {
    for (let panel = 0; panel < proof.panels; panel++) {
      const { choice, fixed } = choosePanel(panelChannels(proof, panel));
      const live = machine();
      if (!live) return;
      for (const bytes of homes(plan, live, proof.epilogueAddress)) {
        if (fixed) promoteFixed64(bytes, panel, fixed);
        else if (choice === "double") promoteDouble(bytes, panel);
      }
      yield;
    }
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
