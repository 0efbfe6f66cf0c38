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

/** Offsets of all buffers. Largest first, each at the lowest gap that fits among the buffers alive at the same time. */
export function planArena(buffers: readonly Lifetime[]): ArenaPlan {
  const size = (buffer: Lifetime) => Math.ceil((buffer.bytes + READ_SLACK) / ARENA_ALIGN) * ARENA_ALIGN;
  const order = buffers.map((_, index) => index).sort((a, b) => size(buffers[b]!) - size(buffers[a]!) || a - b);
  const offsets = new Array<number>(buffers.length).fill(0);
  const placed: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const buffer = buffers[index]!;
    const alive = placed
      .filter((other) => buffers[other]!.first <= buffer.last && buffer.first <= buffers[other]!.last)
      .sort((a, b) => offsets[a]! - offsets[b]!);
    let offset = 0;
    for (const other of alive) {
      if (offset + size(buffer) <= offsets[other]!) break;
      offset = Math.max(offset, offsets[other]! + size(buffers[other]!));
    }
    offsets[index] = offset;
    placed.push(index);
    bytes = Math.max(bytes, offset + size(buffer));
  }
  return { offsets, bytes };
}
