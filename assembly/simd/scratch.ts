// Fixed places in the scratch page (addresses 64 to 1023) that the dot kernels use within one call.

/** Accumulators of one strip of rows: int32[rows ≤ 18][8]. */
export const ACC: usize = 64;
/** Outputs of one partial panel: 64 bytes for each of at most 6 rows. */
export const PARTIAL: usize = 640;
/** Row addresses of one tile: u32[MR]. Shares the place of PARTIAL: addresses are read before outputs are stored. */
export const ROWS: usize = 640;
