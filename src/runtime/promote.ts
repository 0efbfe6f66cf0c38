/** Promote: proves, panel by panel, that a cheaper epilogue gives the same integers, and switches to it in place. */
import { EPILOGUE_MODES, HEADER, leaveSingle, promoteDouble, promoteFixed64, readPanel } from "../kernels/epilogue.ts";
import { proveDouble, proveFixed64 } from "../numerics/prove.ts";
import type { ProofChannel } from "../numerics/target.ts";
import { isTieHeavy } from "../numerics/tieShare.ts";
import type { Plan } from "../plan/plan.ts";
import type { Machine } from "./machine.ts";

export type EpilogueChoice = "fixed64" | "double" | "nearTie";

/** The cheapest epilogue that provably serves all channels of a panel, and its constants. */
export function choosePanel(channels: readonly ProofChannel[]): { choice: EpilogueChoice; fixed: ReturnType<typeof proveFixed64> } {
  const fixed = proveFixed64(channels);
  if (fixed) return { choice: "fixed64", fixed };
  return { choice: channels.every((channel) => proveDouble(channel)) ? "double" : "nearTie", fixed: null };
}

/** Yields after each panel. `machine` gives the live machine, or null once the session is disposed. A panel in mode single is faster than any
 *  proven one unless its scales tie often, so it is left alone; `every`: it is promoted too. */
export function* promote(plan: Plan, machine: () => Machine | null, every = false): Generator<void> {
  for (const proof of plan.proofs) {
    for (let panel = 0; panel < proof.panels; panel++) {
      const live = machine();
      if (!live) return;
      const views = homes(plan, live, proof.epilogueAddress);
      const { mode, channels } = readPanel(views[0]!, panel, proof);
      const margin = 0.5 - views[0]!.getFloat32(HEADER.nearSingle, true);
      const pays = mode === EPILOGUE_MODES.nearTie || every || channels.some((channel) => isTieHeavy(channel, margin));
      if (pays && (mode === EPILOGUE_MODES.nearTie || mode === EPILOGUE_MODES.single)) promotePanel(views, panel, channels, mode);
      yield;
    }
  }
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
