// Strided copies: transposes, slices, concatenations, repeats, reversals. Bytes only, no arithmetic.
import { copyRun, plane } from "./plane";

@unmanaged
class CopyStridedArgs {
  input: usize;
  output: usize;
  rank: i32; // 1..8
  shape: usize; // dims[rank], inStrides[rank], outStrides[rank]; strides in bytes
  size: i32; // bytes of an element: 1, 2, 4, 8
}

/** Counters of the axes between the first and the last two: scratch page, i32 per axis. */
const COUNTERS: usize = SCRATCH + 128;

export function copy_strided(args: usize, begin: i32, end: i32): void {
  const p = changetype<CopyStridedArgs>(args);
  const rank = p.rank;
  const inStrides = p.shape + 4 * <usize>rank;
  const outStrides = inStrides + 4 * <usize>rank;
  const inFirst = load<i32>(inStrides);
  const outFirst = load<i32>(outStrides);
  const input = p.input + begin * inFirst;
  const output = p.output + begin * outFirst;
  if (rank == 1) {
    copyRun(input, output, end - begin, inFirst, outFirst, p.size);
    return;
  }
  const last = 4 * (rank - 1);
  const columns = load<i32>(p.shape + last);
  const inColumn = load<i32>(inStrides + last);
  const outColumn = load<i32>(outStrides + last);
  if (rank == 2) {
    plane(input, output, end - begin, columns, inFirst, inColumn, outFirst, outColumn, p.size);
    return;
  }
  const rows = load<i32>(p.shape + last - 4);
  const inRow = load<i32>(inStrides + last - 4);
  const outRow = load<i32>(outStrides + last - 4);
  for (let unit = begin, from = input, to = output; unit < end; unit++, from += inFirst, to += outFirst) {
    let source = from;
    let target = to;
    for (let axis = 1; axis < rank - 2; axis++) store<i32>(COUNTERS + 4 * axis, 0);
    while (true) {
      plane(source, target, rows, columns, inRow, inColumn, outRow, outColumn, p.size);
      let axis = rank - 3;
      for (; axis > 0; axis--) {
        const at = 4 * axis;
        const count = load<i32>(COUNTERS + at) + 1;
        source += load<i32>(inStrides + at);
        target += load<i32>(outStrides + at);
        if (count < load<i32>(p.shape + at)) {
          store<i32>(COUNTERS + at, count);
          break;
        }
        source -= count * load<i32>(inStrides + at);
        target -= count * load<i32>(outStrides + at);
        store<i32>(COUNTERS + at, 0);
      }
      if (axis == 0) break;
    }
  }
}
