/** Reading panels of an epilogue region back, and switching them to what is proven. */
import type { ProofChannel } from "../numerics/target.ts";
import { EPILOGUE_MODES, type EpilogueMode, HEADER, HEADER_BYTES, PANEL } from "./epilogue.ts";

/** A proven 64-bit fixed-point form of one panel, from src/numerics/prove.ts; arrays of at most 8. */
export interface Fixed64Panel {
  readonly shift: number;
  readonly multiplier: readonly number[];
  readonly offset: readonly bigint[];
  readonly accLo: readonly number[];
  readonly accHi: readonly number[];
}

/** What block `panel` (of ⌈channels/8⌉) does now, and its channels as a proof sees them; only modes double, nearTie and single have them. */
export function readPanel(
  view: DataView,
  panel: number,
  { channels, accMin, accMax }: Pick<ProofChannel, "accMin" | "accMax"> & { readonly channels: number },
): { readonly mode: number; readonly channels: ProofChannel[] } {
  const at = HEADER_BYTES + panel * view.getInt32(HEADER.panelBytes, true);
  const [outScale, qmin, qmax] = [HEADER.outScale, HEADER.low, HEADER.high].map((offset) => view.getFloat64(offset, true)) as [
    number,
    number,
    number,
  ];
  const terms = (first: number, second: number, lane: number): number[] =>
    [first, second].map((offset) => view.getFloat64(at + offset + 8 * lane, true)).filter((term) => term !== 0);
  return {
    mode: view.getInt32(at + PANEL.mode, true),
    channels: Array.from({ length: Math.min(8, channels - 8 * panel) }, (_, lane) => ({
      scale: terms(PANEL.f1, PANEL.f2, lane),
      bias: terms(PANEL.b1, PANEL.b2, lane),
      outScale,
      accMin,
      accMax,
      qmin,
      qmax,
    })),
  };
}

/** Switches block `panel` of an epilogue region (`view` starts at its header) to the proven 64-bit form. */
export function promoteFixed64(view: DataView, panel: number, proven: Fixed64Panel): void {
  const at = HEADER_BYTES + panel * view.getInt32(HEADER.panelBytes, true);
  for (let lane = 0; lane < proven.multiplier.length; lane++) {
    view.setBigInt64(at + PANEL.off + 8 * lane, proven.offset[lane]!, true);
    view.setInt32(at + PANEL.m + 4 * lane, proven.multiplier[lane]!, true);
    view.setInt32(at + PANEL.lo + 4 * lane, proven.accLo[lane]!, true);
    view.setInt32(at + PANEL.hi + 4 * lane, proven.accHi[lane]!, true);
  }
  view.setInt32(at + PANEL.shift, proven.shift, true);
  view.setInt32(at + PANEL.mode, EPILOGUE_MODES.fixed64, true);
}

/** Switches block `panel` from nearTie or single to double. */
export function promoteDouble(view: DataView, panel: number): void {
  setMode(view, panel, "double");
}

/** Switches block `panel` from single to provenSingle, with these constants of its channels. */
export function promoteSingle(
  view: DataView,
  panel: number,
  channels: readonly { readonly mul32: number; readonly add32: number }[],
): void {
  const at = HEADER_BYTES + panel * view.getInt32(HEADER.panelBytes, true);
  channels.forEach(({ mul32, add32 }, lane) => {
    view.setFloat32(at + PANEL.mul32 + 4 * lane, mul32, true);
    view.setFloat32(at + PANEL.add32 + 4 * lane, add32, true);
  });
  setMode(view, panel, "provenSingle");
}

/** Switches block `panel` from single to nearTie: its scales tie too often for a filter. */
export function leaveSingle(view: DataView, panel: number): void {
  setMode(view, panel, "nearTie");
}

function setMode(view: DataView, panel: number, mode: EpilogueMode): void {
  view.setInt32(HEADER_BYTES + panel * view.getInt32(HEADER.panelBytes, true) + PANEL.mode, EPILOGUE_MODES[mode], true);
}
