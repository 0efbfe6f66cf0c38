// pack_taps_q8: arranges the int8 weights of a depthwise convolution by a table of taps and sums each channel; runs once per layer, when a session is made.
import { KR } from "../../geometry";

@unmanaged class PackTapsArgs {
  rows: usize; // code (n, tap) at rows + n·count + tap
  count: i32;
  n: i32;
  table: usize; // int32[cells][KR]: the tap a lane of a cell holds, −1 for 0
  cells: i32;
  panels: usize; // [⌈n/8⌉][cells][8][KR] int8, int16 where KR is 2
  sums: usize; // int32[⌈n/8⌉·8]: Σ of a channel's codes; |code| ≤ 128, so that 2^24 taps fit
}

/** Units: panels. */
export function pack_taps_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<PackTapsArgs>(args);
  const lanes = g.cells * KR;
  const bytes: usize = KR == 2 ? 2 : 1;
  for (let panel = begin; panel < end; ++panel) {
    const to = g.panels + <usize>(panel * lanes << 3) * bytes;
    for (let j = 0; j < 8; ++j) {
      const n = (panel << 3) + j;
      const from = g.rows + <usize>(n * g.count);
      for (let lane = 0; lane < lanes; ++lane) {
        const tap = n < g.n ? load<i32>(g.table + (<usize>lane << 2)) : -1;
        const code = tap < 0 ? 0 : <i32>load<i8>(from + <usize>tap);
        const at = to + <usize>((lane / KR << 3) * KR + j * KR + lane % KR) * bytes;
        if (KR == 2) store<i16>(at, <i16>code);
        else store<i8>(at, <i8>code);
      }
      let sum = 0;
      for (let tap = 0; n < g.n && tap < g.count; ++tap) sum += <i32>load<i8>(from + <usize>tap);
      store<i32>(g.sums + (<usize>n << 2), sum);
    }
  }
}
