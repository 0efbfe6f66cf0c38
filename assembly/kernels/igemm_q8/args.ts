// Args of igemm_q8; see DOT_KERNELS in src/kernels/dot.ts for the layout of each pointer.
@unmanaged export class IgemmArgs {
  a: usize; // first row, direct rows
  lda: i32; // bytes from row to row
  aOffset: usize; // bytes added to every address of the table
  table: usize; // [⌈m/MR⌉][taps][MR] addresses, or with columns [lines][pieces], or 0: direct rows
  taps: i32;
  columns: i32; // rows of one line of the table; 0: the table has every row
  pieces: i32; // addresses of a line; k elements are its pieces, one behind the other
  m: i32; // rows
  n: i32; // columns
  k: i32; // depth of one tap
  w: usize; // packed panels
  bits: i32; // 8 or 4
  blockScale: usize; // u8 per block and column of int4 panels, or 0
  blockDepth: i32; // channels of a block
  init: usize; // int32 per column
  rowSums: usize; // int32 per row, or 0
  rowFactor: usize; // int32 per column
  epilogue: usize; // header + panel blocks
  c: usize;
  ldc: i32; // bytes from output row to output row
  mBlock: i32; // rows per unit, a multiple of MR
  scratch: usize; // copied rows, unpacked panels
}
