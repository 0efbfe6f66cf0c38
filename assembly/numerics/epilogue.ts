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
export const WIDE: usize = 52; // values may be too large for the magic addition
export const NEAR_SINGLE: usize = 56; // ½ − margin of float32, as a float
export const NARROW: usize = 60; // min or max lies inside the stored range
// Constants of the vector loops. They are read from memory because the compiler would spell a literal out at each of its uses, and the engine
// build it anew there in three or four instructions.
export const MAGIC32: usize = 64; // 1.5·2^23, as a float
export const ABS32: usize = 68; // 0x7fffffff
export const ZERO32: usize = 72; // zero − the bits of 1.5·2^23
export const MAGIC64: usize = 80; // 1.5·2^52, as a double
export const HEADER_BYTES: usize = 96;

export const MUL: usize = 0;
export const ADD: usize = 64;
export const F1: usize = 128;
export const F2: usize = 192;
export const B1: usize = 256;
export const B2: usize = 320;
// The integer modes keep their constants where the exact sums F1 … B2 lie in the others.
export const OFF: usize = 128;
export const M: usize = 192;
export const LO: usize = 224;
export const HI: usize = 256;
export const R: usize = 288;
export const MUL32: usize = 384;
export const ADD32: usize = 416;
export const MODE: usize = 448;
export const SLOPE: usize = 452;
export const SHIFT: usize = 456;
/** Distance from a constant to its twin of the slope side (MUL … B2, M, R, MUL32, ADD32). */
export const SLOPE_SET: usize = 464;

export const MODE_RAW: i32 = 0;
export const MODE_FIXED64: i32 = 1;
export const MODE_DOUBLE: i32 = 2;
export const MODE_NEAR_TIE: i32 = 3;
export const MODE_FIXED_SINGLE: i32 = 4;
export const MODE_FIXED_DOUBLE: i32 = 5;
export const MODE_REAL: i32 = 6;
export const MODE_SINGLE: i32 = 7;
export const MODE_FLOAT32: i32 = 8;
export const MODE_PROVEN_SINGLE: i32 = 9;
