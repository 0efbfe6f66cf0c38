/** Kept: a region of a machine's memory above every plan's arena, for bytes that outlive runs: the states of streams. */
import { type Machine, reserve } from "./machine.ts";

export interface Kept {
  address: number; // moves up when a plan needs the place
  bytes: number;
  free: readonly Block[]; // by offset; none touches another, or the region's end
}

interface Block {
  readonly offset: number;
  readonly bytes: number;
}

const ALIGN = 64;

/** Offset from kept.address of a block of `bytes`. throws SessionError "session/out-of-memory". */
export function keep(machine: Machine, bytes: number): number {
  machine.kept ??= { address: machine.buffer.byteLength, bytes: 0, free: [] };
  const { kept } = machine;
  const size = sizeOf(bytes);
  const hole = kept.free.find((block) => block.bytes >= size);
  if (hole) {
    const rest = { offset: hole.offset + size, bytes: hole.bytes - size };
    kept.free = kept.free.flatMap((block) => (block !== hole ? [block] : rest.bytes > 0 ? [rest] : []));
    return hole.offset;
  }
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

/** Lets go of a block: it grows together with free ones beside it, and the region ends where nothing is kept any more. */
export function release({ kept }: Machine, offset: number, bytes: number): void {
  if (!kept) return;
  const free: Block[] = [];
  for (const block of [...kept.free, { offset, bytes: sizeOf(bytes) }].sort((a, b) => a.offset - b.offset)) {
    const last = free.at(-1);
    if (last && last.offset + last.bytes === block.offset) free[free.length - 1] = { offset: last.offset, bytes: last.bytes + block.bytes };
    else free.push(block);
  }
  const end = free.at(-1);
  if (end && end.offset + end.bytes === kept.bytes) {
    kept.bytes = end.offset;
    free.pop();
  }
  kept.free = free;
}

function sizeOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ALIGN)) * ALIGN;
}
