/** Kept: a region of a machine's memory above every plan's arena, for bytes that outlive runs: the states of streams. */
import { type Machine, reserve } from "./machine.ts";

export interface Kept {
  address: number; // moves up when a plan needs the place
  bytes: number;
  readonly free: { readonly offset: number; readonly bytes: number }[];
}

const ALIGN = 64;

/** Offset from kept.address of a block of `bytes`. throws SessionError "session/out-of-memory". */
export function keep(machine: Machine, bytes: number): number {
  machine.kept ??= { address: machine.buffer.byteLength, bytes: 0, free: [] };
  const { kept } = machine;
  const size = sizeOf(bytes);
  const hole = kept.free.findIndex((block) => block.bytes === size);
  if (hole >= 0) return kept.free.splice(hole, 1)[0]!.offset;
  const offset = kept.bytes;
  kept.bytes += size;
  try {
    reserve(machine, kept.address);
  } catch (error) {
    kept.bytes = offset;
    throw error;
  }
  return offset;
}

/** Lets go of a block. */
export function release({ kept }: Machine, offset: number, bytes: number): void {
  const size = sizeOf(bytes);
  if (kept && offset + size === kept.bytes) kept.bytes = offset;
  else kept?.free.push({ offset, bytes: size });
}

function sizeOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ALIGN)) * ALIGN;
}
