// Fixed places in the scratch page (addresses SCRATCH + 64 to SCRATCH + 1023) that the dot kernels use within one call.

/** Accumulators of one strip of rows: int32[rows][8]; at most 18 rows of a whole panel, 12 where PARTIAL is used. tieSign owns 896 … 975. */
export const ACC: usize = SCRATCH + 128;
/** Outputs of one partial panel: 64 bytes for each of at most 6 rows. Ends where tieSign's place begins. */
export const PARTIAL: usize = SCRATCH + 512;
