/** Epilogue channels of the modes real and float32. */
import type { EpilogueChannel } from "./epilogue.ts";

/** A channel of mode real: output acc·factor + bias in double, one rounding each. */
export function realChannel(factor: number, bias: number): EpilogueChannel {
  return { mul: factor, add: bias, factor: [], bias: [], multiplier: 0, shift: 0 };
}

/** A channel of mode float32. range: a float32. */
export function float32Channel(multiplier: number): EpilogueChannel {
  return realChannel(multiplier, 0);
}
