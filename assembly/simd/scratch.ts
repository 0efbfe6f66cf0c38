// Fixed places in the scratch page (addresses 64 to 1023) that the dot kernels use within one call.

/** Accumulators of one tile: int32[rows ≤ 12][8]. */
export const ACC: usize = 64;
/** Row addresses of one tile: u32[MR]. */
export const ROWS: usize = 448;
/** Outputs of one partial panel: 64 bytes for each of at most 6 rows. */
export const PARTIAL: usize = 512;
