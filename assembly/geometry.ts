// What this build is. DOT (set per target): 0 = simd, i16 pairs; 1 = usdot, u8 activations as second operand; 2 = sdot, s8.

/** Tile rows, tile columns, consecutive k per column. */
export const MR: i32 = DOT == 0 ? 4 : 6;
export const NR: i32 = 8;
export const KR: i32 = DOT == 0 ? 2 : 4;
/** Stored 8-bit activations are signed (int8) in simd and sdot, unsigned (uint8) in usdot. */
export const Q8_SIGNED: i32 = DOT == 1 ? 0 : 1;
/** Smallest packed weight. Where sdot is built from widening multiplies (no DOTPROD, or before the engine optimizes), pairs of products are added
 *  in 16 bits: −128·−128 twice would wrap, −127·−128 twice (32,512) does not. */
export const WEIGHT_MIN: i32 = DOT == 2 ? -127 : -128;
