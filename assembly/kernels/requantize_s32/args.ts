// Args of requantize_s32; see DOT_KERNELS in src/kernels/dot.ts.
@unmanaged export class RequantizeArgs {
  acc: usize; // int32[blocks][planes][m][n]
  partStride: usize; // bytes from part to part
  lda: i32; // bytes from accumulator row to row
  planes: i32;
  blocks: i32;
  planeWeight: usize; // f64[planes]
  base: usize; // f64[blocks][⌈n/8⌉·8], or 0
  blockFactor: usize; // f64[blocks][⌈n/8⌉·8], or 0: one block
  exactSum: i32;
  m: i32;
  n: i32;
  epilogue: usize;
  c: usize;
  ldc: i32;
  scratch: usize; // T[blocks][8], then products
}
