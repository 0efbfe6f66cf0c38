/** Arena: byte offsets for buffers by lifetime, greedy by size; two buffers overlap in memory only when their lifetimes do not. */

export interface Lifetime {
  readonly bytes: number;
  readonly first: number; // index of the first step that names it; −1 before the first step
  readonly last: number; // inclusive; steps.length means after the last step
}

export interface ArenaPlan {
  readonly offsets: readonly number[]; // per buffer, multiples of ARENA_ALIGN
  readonly bytes: number; // total, slack included
}

export const ARENA_ALIGN = 64;
/** Kernels may read (never write) this far beyond a buffer's end. */
export const READ_SLACK = 64;

/** A buffer that has its offset. */
interface Place {
  readonly first: number;
  readonly last: number;
  readonly start: number;
  readonly end: number;
}

/** Offsets of all buffers. Largest first, each at the lowest gap that fits among the buffers alive at the same time. */
export function planArena(buffers: readonly Lifetime[]): ArenaPlan {
  const size = (buffer: Lifetime) => Math.ceil((buffer.bytes + READ_SLACK) / ARENA_ALIGN) * ARENA_ALIGN;
  const order = buffers.map((_, index) => index).sort((a, b) => size(buffers[b]!) - size(buffers[a]!) || a - b);
  const offsets = new Array<number>(buffers.length).fill(0);
  const placed: Place[] = []; // by start
  let bytes = 0;
  for (const index of order) {
    const { first, last } = buffers[index]!;
    const length = size(buffers[index]!);
    let start = 0;
    for (const other of placed) {
      if (other.first > last || first > other.last) continue;
      if (start + length <= other.start) break;
      start = Math.max(start, other.end);
    }
    offsets[index] = start;
    const after = placed.findIndex((other) => other.start > start);
    placed.splice(after < 0 ? placed.length : after, 0, { first, last, start, end: start + length });
    bytes = Math.max(bytes, start + length);
  }
  return { offsets, bytes };
}
