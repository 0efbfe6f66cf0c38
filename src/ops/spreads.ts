/** Running-error pieces of sums, quotients and roots. */
/** γ_n = n·u/(1 − n·u): the relative bound of n roundings; Infinity when n·u ≥ 1. */
export function gamma(n: number, unit: number): number {
  return n * unit < 1 ? (n * unit) / (1 - n * unit) : Infinity;
}

/** |a'/b' − a/b| likewise; Infinity when b' may be zero. */
export function quotientSpread(a: number, ea: number, b: number, eb: number): number {
  if (ea === 0 && eb === 0) return 0;
  const least = Math.abs(b) - eb;
  if (!(least > 0)) return Infinity;
  return (ea + Math.abs(a / b) * eb) / least;
}

/** |√a' − √a| likewise, a' ≥ 0. */
export function rootSpread(a: number, ea: number): number {
  if (ea === 0) return 0;
  const root = Math.sqrt(Math.max(a, 0));
  return root > 0 ? Math.min(ea / root, Math.sqrt(ea)) : Math.sqrt(ea);
}
