/** The epilogue region of raw accumulators. */
import { type EpilogueChannel, PLAIN_HEADER, RAW_CHANNEL, writeEpilogue } from "../../kernels/epilogue.ts";

/** A region of `count` channels that stores raw int32 accumulators. */
export function rawRegion(count: number): Uint8Array {
  return writeEpilogue(PLAIN_HEADER, "raw", new Array<EpilogueChannel>(count).fill(RAW_CHANNEL));
}
