/** Scratch of requantize_s32. */

/** Scratch bytes of requantize_s32. */
export function requantizeScratch(blocks: number): number {
  return 128 * blocks + 1024;
}
