/** Lines through tables of 256 codes: the int16 constants of kernel line_q8 that give every entry. */

/** clamp(sat16(((x·multiplier + 2^7) >> 8) + offset) >> shift, min, max) for every stored x. */
export interface CodeLine {
  readonly multiplier: number;
  readonly offset: number;
  readonly shift: number;
  readonly min: number;
  readonly max: number;
}

const INT16 = 32767;

/** The line through `entries` (stored output codes for the stored inputs lowest … lowest + 255), or null. Entries at the least and the greatest value are
 *  clamped ones: they bound the line from one side only. Multipliers are tried from the middle of the slopes that the unclamped entries admit. */
export function fitLine(entries: ArrayLike<number>, lowest: number): CodeLine | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < 256; i++) {
    min = Math.min(min, entries[i]!);
    max = Math.max(max, entries[i]!);
  }
  let first = 0;
  let last = 255;
  while (first < 255 && isClamped(entries[first]!)) first++;
  while (last > first && isClamped(entries[last]!)) last--;
  const run = last - first;
  if (run < 2) return null;
  const rise = entries[last]! - entries[first]!;
  if (leavesChord(entries, first, last)) return null;
  const steepest = (Math.abs(rise) + 1) / run;
  for (let shift = 7; shift >= 3; shift--) {
    const unit = 2 ** (8 + shift);
    if (steepest * unit > INT16) continue;
    const middle = Math.round((rise / run) * unit);
    const reach = Math.ceil(unit / run);
    for (let step = 0; step <= 2 * reach; step++) {
      const multiplier = middle + (step % 2 ? (step + 1) / 2 : -step / 2);
      const offset = offsetFor(entries, lowest, multiplier, shift, min, max);
      if (offset !== null) return { multiplier, offset, shift, min, max };
    }
    return null; // a smaller shift is coarser
  }
  return null;

  function isClamped(entry: number): boolean {
    return entry === min || entry === max;
  }
}

/** An offset with which the line passes through every entry; null where there is none. Sums beyond int16 saturate as they must when the clamp is theirs. */
/** Whether no line goes through the entries from `first` to `last`: an entry lies between 1 + 2^−4 below its line and 2^−4 above (floor, and
 *  rounding of the product before a shift of at least 3), and so do the ends of the chord; so entries on a line are within 1.125 of the chord. */
function leavesChord(entries: ArrayLike<number>, first: number, last: number): boolean {
  const slope = (entries[last]! - entries[first]!) / (last - first);
  for (let i = first + 1; i < last; i++) if (Math.abs(entries[i]! - entries[first]! - slope * (i - first)) > 1.25) return true;
  return false;
}

function offsetFor(entries: ArrayLike<number>, lowest: number, multiplier: number, shift: number, min: number, max: number): number | null {
  let from = -INT16;
  let to = INT16;
  for (let i = 0; i < 256; i++) {
    const product = ((lowest + i) * multiplier + 128) >> 8;
    const entry = entries[i]!;
    if (entry > min) from = Math.max(from, entry * 2 ** shift - product);
    if (entry < max) to = Math.min(to, (entry + 1) * 2 ** shift - 1 - product);
    if (from > to) return null;
  }
  const offset = Math.floor((from + to) / 2);
  return isRight(entries, lowest, { multiplier, offset, shift, min, max }) ? offset : null;
}

/** What kernel line_q8 computes. */
export function lineCode({ multiplier, offset, shift, min, max }: CodeLine, x: number): number {
  const sum = ((x * multiplier + 128) >> 8) + offset;
  return Math.max(min, Math.min(max, Math.max(-32768, Math.min(INT16, sum)) >> shift));
}

function isRight(entries: ArrayLike<number>, lowest: number, line: CodeLine): boolean {
  for (let i = 0; i < 256; i++) if (lineCode(line, lowest + i) !== entries[i]) return false;
  return true;
}
