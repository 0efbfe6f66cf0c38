/** Block integers of LPBQ weights as igemm_q8 reads them. */
import { PANEL_COLUMNS } from "./dot.ts";

/** Integer scales of int4 panels, u8 [⌈n/8⌉][blocks][8]; 0 for columns ≥ n. range: 1 … BLOCK_SCALE_MAX. */
export function packBlockScales(n: number, blocks: number, scaleAt: (n: number, block: number) => number): Uint8Array {
  const packed = new Uint8Array(Math.ceil(n / PANEL_COLUMNS) * blocks * PANEL_COLUMNS);
  for (let column = 0; column < n; column++) {
    const at = Math.floor(column / PANEL_COLUMNS) * blocks * PANEL_COLUMNS + (column % PANEL_COLUMNS);
    for (let block = 0; block < blocks; block++) packed[at + block * PANEL_COLUMNS] = scaleAt(column, block);
  }
  return packed;
}
