/** Sample counts by test tier (BITEXACT_TIER): fast, default, soak. */

const TIER = process.env.BITEXACT_TIER ?? "default";

export function samples(fast: number, usual: number, soak: number): number {
  return TIER === "fast" ? fast : TIER === "soak" ? soak : usual;
}
