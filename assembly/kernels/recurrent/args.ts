// Args of the recurrent kernels; one class serves the _f32 and the _f64 kernel of a name. See RECURRENT_KERNELS in src/kernels/recurrent.ts.

@unmanaged export class PanelsArgs {
  a: usize;
  lda: i32; // bytes
  w: usize; // panels of k rows
  panel: i32; // bytes of a panel's row: 128, or 64 for a single panel
  output: usize;
  ldc: i32; // bytes, whole panels
  k: i32;
  rows: i32;
}

@unmanaged export class RecurrentArgs {
  cell: i32; // 0 RNN, 1 GRU, 2 LSTM
  u: usize; // x·Wᵀ
  uStep: i32; // bytes, as all steps and strides
  uDirection: i32;
  uBatch: i32;
  bias: usize; // T[gates · padded], for GRU then T[padded], per direction
  r: usize; // panels of k = hidden, per direction
  rDirection: i32;
  peepholes: usize; // T[3 · padded] per direction, or 0
  lengths: usize; // f32[batch], or 0
  h0: usize; // or 0
  c0: usize; // or 0
  y: usize; // or 0
  yStep: i32;
  yDirection: i32;
  yBatch: i32;
  lastH: usize; // or 0
  lastC: usize; // or 0
  stateDirection: i32;
  stateBatch: i32;
  scratch: usize; // per unit: v, then h, c, r·h
  scratchUnit: i32;
  candidate: i32; // bytes from v to the recurrent part of GRU's candidate
  panels: i32; // of r in all
  laterPanels: i32; // those at the end that GRU's candidate takes
  hidden: i32;
  padded: i32; // hidden, up to whole vectors
  steps: i32;
  batch: i32;
  backward: i32; // bit d: direction d runs from the end
  option: i32; // LSTM: input_forget; GRU: linear_before_reset
  functions: usize; // per direction f, g, h: i32 opcode, i32 0, f64 alpha, f64 beta
  clip: usize; // f64, Infinity: none
}
