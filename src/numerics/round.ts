/** The three ways a double becomes an integer, by name. Results are never −0. */

const MAGIC = 6755399441055744; // 1.5·2^52: x + MAGIC has unit last place for |x| < 2^51, so the addition itself rounds half to even

/** Nearest integer, ties to even. NaN and infinities pass. */
export function roundHalfEven(x: number): number {
  return x > -2251799813685248 && x < 2251799813685248 ? x + MAGIC - MAGIC : roundLarge(x);
}

/** |x| ≥ 2^51, where doubles are multiples of ½ and x − floor(x) is exact. */
function roundLarge(x: number): number {
  const low = Math.floor(x);
  return x - low === 0.5 ? (low % 2 === 0 ? low : low + 1) : x - low > 0.5 ? low + 1 : Number.isNaN(low) ? x : low;
}
