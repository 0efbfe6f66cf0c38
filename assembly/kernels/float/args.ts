// Args of the float family; one class serves the _f32 and the _f64 kernel of a name. See FLOAT in src/kernels/elementwise.ts.

@unmanaged export class UnaryArgs {
  input: usize;
  output: usize;
  op: i32;
  params: usize; // f64 p0, p1; read by the functions that have parameters, addressable always
}

@unmanaged export class BinaryArgs {
  a: usize;
  b: usize;
  output: usize;
  op: i32;
  rank: i32; // 1..8
  shape: usize; // dims[rank], aStrides[rank], bStrides[rank], in elements
}

@unmanaged export class WhereArgs {
  condition: usize;
  a: usize;
  b: usize;
  output: usize;
  rank: i32;
  shape: usize; // dims, conditionStrides, aStrides, bStrides
}

@unmanaged export class ReduceArgs {
  input: usize;
  output: usize;
  op: i32;
  rank: i32; // 0..5
  axes: usize;
  run: i32;
}

@unmanaged export class SoftmaxArgs {
  input: usize;
  output: usize;
  size: i32; // elements of the softmax axis
  inner: i32; // elements behind it
  log: i32;
}

@unmanaged export class LayernormArgs {
  input: usize;
  output: usize;
  gamma: usize; // size elements, or 0
  beta: usize; // size elements, or 0
  size: i32;
  rms: i32;
  epsilon: usize; // f64
}

@unmanaged export class ConvArgs {
  input: usize;
  weight: usize;
  bias: usize; // outChannels elements, or 0
  output: usize;
  geometry: usize;
}

@unmanaged export class MatmulArgs {
  a: usize;
  b: usize;
  output: usize;
  offsets: usize; // a, b, c per batch, in elements
  m: i32;
  n: i32;
  k: i32;
  aStrideM: i32; // elements
  aStrideK: i32;
  bStrideK: i32;
  bStrideN: i32;
  scratch: usize; // panels of `columns` columns, k · 4 bytes each, or 0; then a row's elements of a lie side by side
  columns: i32; // a multiple of 8
}

@unmanaged export class ResampleArgs {
  input: usize;
  output: usize;
  size: i32; // input extent of the axis
  out: i32; // output extent
  inner: i32; // elements behind the axis
  spans: usize; // (first tap, taps) per output index
  indices: usize; // i32 input index per tap
  weights: usize; // T per tap
  outside: usize; // f64: value of outputs without taps
}

@unmanaged export class SampleTapsArgs {
  grid: usize; // f64, `rank` per position
  offsets: usize; // i32 per position, axis and tap: index · stride, −1 for a tap that is skipped
  weights: usize; // T, alike
  rank: i32; // spatial axes
  axes: usize; // (extent, stride) words per axis
  mode: i32; // 0 nearest, 1 linear, 2 cubic: 1, 2, 4 taps
  padding: i32; // 0 zeros, 1 border, 2 reflection
  aligned: i32;
}

@unmanaged export class SampleArgs {
  input: usize;
  offsets: usize;
  weights: usize;
  output: usize;
  plane: i32; // elements of one channel
  points: i32; // positions of one image
  channels: i32;
  rank: i32; // 1..3
  taps: i32;
}

@unmanaged export class BlockMatmulArgs {
  a: usize;
  lda: i32; // bytes
  w: usize; // per 8 columns: [words][8] words of codes
  bits: i32; // 2, 4 or 8
  words: i32; // per column
  scales: usize; // per 8 columns: [blocks][8] f32
  zeros: usize; // alike, u8
  block: i32; // k of a block
  blocks: i32;
  output: usize;
  ldc: i32; // bytes
  rows: i32;
  k: i32;
  n: i32; // columns
}
