// Operands of dwconv_q8, in the order of DOT_KERNELS (src/kernels/dot.ts).

@unmanaged export class DwconvArgs {
  table: usize; // [bands][lanes] addresses of column 0, channel 0 of each lane's row; `scratch` where the row lies outside
  lanes: i32; // a multiple of KR
  shifts: usize; // int32[lanes]: columns to the right of a line position that the lane reads
  reach: i32; // largest shift
  pixelBytes: i32; // from one input column to the next
  columns: i32; // of the input
  gap: i32; // line positions from one input column to the next
  left: i32; // line position of input column 0
  width: i32; // line positions
  zero: i32; // stored zero point
  steps: usize; // int32[stepCount]: bytes from an output's first line position to what the step reads
  stepCount: i32;
  stride: i32; // line positions from one output to the next
  slides: i32; // 1: three neighbouring columns, stride 1 or 2, one group of lanes (simd: two)
  bandRows: i32; // output rows that share a line
  outRows: i32; // of one image
  outColumns: i32;
  channels: i32;
  w: usize; // [⌈channels/8⌉][bandRows][stepCount][8][KR], int8 (simd: int16)
  init: usize; // int32[⌈channels/8⌉·8]
  epilogue: usize;
  c: usize;
  ldc: i32;
  scratch: usize; // a cell of zero points, what lanes outside the image read
  line: usize;
}
