// What this build is. DOT (set per target): 0 = simd, i16 pairs; 1 = usdot, u8 activations as second operand; 2 = sdot, s8.

/** Tile rows, tile columns, consecutive k per column. */
export const MR: i32 = DOT == 0 ? 4 : 6;
export const NR: i32 = 8;
export const KR: i32 = DOT == 0 ? 2 : 4;
/** Stored 8-bit activations are signed (int8) in simd and sdot, unsigned (uint8) in usdot. */
export const Q8_SIGNED: i32 = DOT == 1 ? 0 : 1;
