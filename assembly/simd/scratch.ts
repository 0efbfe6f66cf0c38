// Fixed places in the scratch page (addresses 64 to 1023) that the dot kernels use within one call.

/** Accumulators of one strip of rows: int32[rows][8]; at most 18 rows of a whole panel, 14 where PARTIAL is used. tieSign owns 896 … 975. */
export const ACC: usize = 64;
/** Outputs of one partial panel: 64 bytes for each of at most 6 rows. Ends where tieSign's place begins. */
export const PARTIAL: usize = 512;
