// Byte offsets of the epilogue region and its modes, as src/kernels/epilogue.ts writes them.

export const OUT_SCALE: usize = 0;
export const LOW: usize = 8; // min − zero, as a double
export const HIGH: usize = 16; // max − zero
export const NEAR: usize = 24; // ½ − tie margin
export const ZERO: usize = 32;
export const MIN: usize = 36;
export const MAX: usize = 40;
export const PANEL_BYTES: usize = 44;
export const OUT_BYTES: usize = 48;
export const WIDE: usize = 52; // |acc·mul + add| may exceed 2^26
export const HEADER_BYTES: usize = 64;

export const MUL: usize = 0;
export const ADD: usize = 64;
export const F1: usize = 128;
export const F2: usize = 192;
export const B1: usize = 256;
export const B2: usize = 320;
export const OFF: usize = 384;
export const M: usize = 448;
export const R: usize = 480;
export const LO: usize = 512;
export const HI: usize = 544;
export const MODE: usize = 576;
export const SLOPE: usize = 580;
export const SHIFT: usize = 584;
export const SLOPE_MUL: usize = 640; // the doubles of the slope side, in the order of MUL … B2
export const SLOPE_M: usize = 1024;
export const SLOPE_R: usize = 1056;

export const MODE_RAW: i32 = 0;
export const MODE_FIXED64: i32 = 1;
export const MODE_DOUBLE: i32 = 2;
export const MODE_NEAR_TIE: i32 = 3;
export const MODE_FIXED_SINGLE: i32 = 4;
export const MODE_FIXED_DOUBLE: i32 = 5;
export const MODE_REAL: i32 = 6;
