/** Plan-time proof that float32 gives the exact integer for every accumulator of a channel: the few that come near a tie are found and tried. */
import { rescale } from "./decide.ts";
import { roundHalfEven } from "./round.ts";
import type { ProofChannel } from "./target.ts";

/** Accumulators between saturation on both sides beyond which float32 errs too often for a proof to be likely. */
const RANGE_LIMIT = 2 ** 20;
const SAMPLE = 2 ** 16;
/** Steps of a margin's eighth by which the addend may be moved. */
const SHIFTS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8] as const;
const SLACK = 1e-7; // far above the rounding of positions, far below a margin

/** Positions x in [0, count), ascending, with frac(start + x·step) ≤ width; stops after `limit` of them. range: width < ½, count ≤ 2^20.
 *  Returns to an interval take one of three times: up (the least with a small step forward), down (with one backward), or both together
 *  (three-gap theorem; Sós 1958, Slater 1967). Positions within 1e-8 of the interval's ends may be missed or reported. */
export function visits(start: number, step: number, width: number, count: number, limit: number): number[] {
  const at = (x: number): number => {
    const position = start + x * step;
    const fraction = position - Math.floor(position);
    return fraction > 0.75 ? fraction - 1 : fraction; // just below the interval
  };
  const { up, down } = returnTimes(step - Math.floor(step), width, count);
  const found: number[] = [];
  let x = 0;
  while (x < count && (at(x) < 0 || at(x) > width)) x++;
  while (x < count && found.length < limit) {
    found.push(x);
    const here = at(x);
    const [forward, backward] = [here + up.drift <= width, here - down.drift >= 0];
    if (forward && backward) x += Math.min(up.time, down.time);
    else x += forward ? up.time : backward ? down.time : up.time + down.time;
  }
  return found;
}

interface Return {
  readonly drift: number;
  readonly time: number;
}

/** The least times whose drift is at most `width` forward and backward; times beyond `count` need not be exact. */
function returnTimes(step: number, width: number, count: number): { up: Return; down: Return } {
  let [up, upTime, down, downTime] = [step, 1, 1 - step, 1];
  while ((up > width || down > width) && Math.min(up, down) > 0 && Math.min(upTime, downTime) <= count) {
    if (up >= down) {
      const turns = Math.min(Math.max(1, Math.ceil((up - width) / down)), Math.floor(up / down));
      up -= turns * down;
      upTime += turns * downTime;
    } else {
      const turns = Math.min(Math.max(1, Math.ceil((down - width) / up)), Math.floor(down / up));
      down -= turns * up;
      downTime += turns * upTime;
    }
  }
  return { up: { drift: up, time: upTime }, down: { drift: down, time: downTime } };
}

/** What float32 can do for a channel. add32: with this addend RNE(f32(f32(f32(acc)·f32(mul)) + add32)), clamped, is exact for every accumulator.
 *  heavy: so many accumulators lie near ties that float32 should not be asked. none: neither. */
export type SingleProof = { readonly add32: number } | "heavy" | "none";

/** margin: what singleMargin of src/kernels/epilogue.ts gives for the channel: float32's error with the nearest addend, E. An addend moved by at most E
 *  errs by at most 2E where the result lies on the grid or one code beyond, so accumulators farther than that from a tie are right; all others are
 *  listed and tried. Beyond the grid the float32 line is monotone, as roundings are: it saturates where the last listed code does. */
export function proveSingle(channel: ProofChannel, margin: number): SingleProof {
  const { scale, bias, outScale, qmin, qmax } = channel;
  const mul = scale.reduce((a, b) => a + b, 0) / outScale;
  const add = bias.reduce((a, b) => a + b, 0) / outScale;
  const [lo, hi] = gridRange(channel, mul, add);
  const count = hi - lo + 1;
  if (count <= 0 || !Number.isFinite(mul) || mul === 0) return "none";
  const half = 2 * margin + SLACK;
  const searched = count > RANGE_LIMIT ? SAMPLE : count;
  const most = 64 + Math.floor(searched / 64);
  const near = visits(lo * mul + add + 0.5 + half, mul, 2 * half, searched, most);
  if (near.length === most) return "heavy";
  if (count > RANGE_LIMIT) return "none";
  const clamp = (q: number): number => Math.min(qmax, Math.max(qmin, q));
  const wanted = near.map((x) => clamp(rescale(lo + x, scale, bias, outScale)));
  const mul32 = Math.fround(mul);
  for (const shift of SHIFTS) {
    const add32 = Math.fround(add + (shift * margin) / 8);
    const isRight = (x: number, i: number): boolean =>
      clamp(roundHalfEven(Math.fround(Math.fround(Math.fround(lo + x) * mul32) + add32))) === wanted[i];
    if (near.every(isRight)) return { add32 };
  }
  return "none";
}

/** Accumulators with t in [qmin − 1, qmax + 1], cut to those that occur. */
function gridRange({ accMin, accMax, qmin, qmax }: ProofChannel, mul: number, add: number): [number, number] {
  const ends = [(qmin - 1 - add) / mul, (qmax + 1 - add) / mul];
  return [Math.max(accMin, Math.floor(Math.min(...ends))), Math.min(accMax, Math.ceil(Math.max(...ends)))];
}
