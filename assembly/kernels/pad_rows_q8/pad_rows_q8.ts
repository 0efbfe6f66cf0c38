// pad_rows_q8: rows of an image with the zero point on both sides, as igemm_q8 reads them (int16 in simd).
import { loadQ8, loadQ8x8 } from "../../simd/q8";

@unmanaged class PadRowsArgs {
  from: usize; // stored q8
  to: usize;
  pitch: i32; // elements from row to row of `from`
  count: i32; // elements copied of each, at most width − left
  left: i32; // elements of zero point before them
  width: i32; // elements from row to row of `to`
  zero: i32; // stored value
}

const SIZE: i32 = DOT == 0 ? 1 : 0; // log2 of the bytes of an element written

/** Units: rows. Writes exactly their bytes. */
export function pad_rows_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<PadRowsArgs>(args);
  const count = g.count;
  for (let row = begin; row < end; ++row) {
    const from = g.from + <usize>(row * g.pitch);
    const to = g.to + (<usize>(row * g.width) << SIZE);
    const inner = to + (<usize>g.left << SIZE);
    fillZero(to, inner, g.zero);
    copyRun(from, inner, count);
    fillZero(inner + (<usize>count << SIZE), to + (<usize>g.width << SIZE), g.zero);
  }
}

@inline function fillZero(to: usize, end: usize, zero: i32): void {
  for (; to < end; to += 1 << SIZE) {
    if (DOT == 0) store<i16>(to, <i16>zero);
    else store<i8>(to, <i8>zero);
  }
}

/** 16 elements at a time; the last 16 of a row overlap those before. */
function copyRun(from: usize, to: usize, count: i32): void {
  if (count < 16) {
    for (let i: usize = 0; i < <usize>count; ++i) fillZero(to + (i << SIZE), to + ((i + 1) << SIZE), loadQ8(from + i));
    return;
  }
  for (let i = 0; i + 16 <= count; i += 16) copy16(from + i, to + (<usize>i << SIZE));
  copy16(from + count - 16, to + (<usize>(count - 16) << SIZE));
}

@inline function copy16(from: usize, to: usize): void {
  if (DOT == 0) {
    v128.store(to, loadQ8x8(from));
    v128.store(to, loadQ8x8(from + 8), 16);
  } else v128.store(to, v128.load(from));
}
