// pack_b_q8: packs a computed second operand into weight panels and folds its zero-point terms into init.
import { KR } from "../../geometry";

@unmanaged class PackArgs {
  b: usize; // stored q8 element (k, n) at b + k·strideK + n·strideN
  strideK: i32;
  strideN: i32;
  k: i32;
  n: i32;
  panels: usize; // [⌈n/8⌉][⌈k/KR⌉][8][KR] int8
  init: usize; // int32 per column
  za: i32; // stored zero point of the first operand
  zb: i32; // stored zero point of b, minus 128 in usdot
  bias: usize; // int32 per column, or 0
}

/** Units: panels. Unsigned bytes become signed ones by flipping the top bit (b − 128). */
export function pack_b_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<PackArgs>(args);
  const depth = (g.k + KR - 1) / KR * KR;
  for (let panel = begin; panel < end; ++panel) {
    const to = g.panels + <usize>(panel * depth << 3);
    const columns = min(8, g.n - (panel << 3));
    if (columns < 8 || depth != g.k) memory.fill(to, 0, <usize>depth << 3);
    for (let j = 0; j < columns; ++j) {
      const n = (panel << 3) + j;
      const sum = packColumn(g.b + n * g.strideN, g.strideK, g.k, to + <usize>(j * KR));
      const bias = g.bias ? load<i32>(g.bias + (<usize>n << 2)) : 0;
      store<i32>(g.init + (<usize>n << 2), bias - g.za * sum + g.k * g.za * g.zb);
    }
    for (let j = columns; j < 8; ++j) store<i32>(g.init + (<usize>((panel << 3) + j) << 2), 0);
  }
}

/** One column; returns Σ_k b'[k]. */
function packColumn(from: usize, stride: i32, k: i32, to: usize): i32 {
  let sum = 0;
  for (let i = 0; i < k; i += KR) {
    const count = min(KR, k - i);
    for (let j = 0; j < count; ++j) {
      const code = <i32>(DOT == 1 ? <i8>(load<u8>(from) ^ 0x80) : load<i8>(from));
      store<i8>(to + j, <i8>code);
      sum += code;
      from += stride;
    }
    to += 8 * KR;
  }
  return sum;
}
