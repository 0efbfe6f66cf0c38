/** How far from a rounding tie a layer's mismatches lie, as a picture with its text. */
import { formatCount } from "../cli/table.ts";
import type { Histogram } from "../index.ts";

const WIDTH = 400;
const HEIGHT = 150;
const BASE = 120;
const TICKS = [1e-8, 1e-6, 1e-4, 1e-2, 1];

/** 1e-6 as "10⁻⁶". */
function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  return exponent === 0 ? "1" : `10⁻${"⁰¹²³⁴⁵⁶⁷⁸⁹"[-exponent]}`;
}

/** What the picture shows, in words. */
export function tieText({ from, counts }: Histogram): string {
  const used = counts.flatMap((count, i) => (count > 0 ? [i] : []));
  const [first, last] = [used[0] ?? 0, used.at(-1) ?? 0];
  const low = from[first] ?? 0;
  const high = from[last + 1];
  const range = high === undefined ? `from ${low} LSB up` : `from ${low} to ${high} LSB`;
  const beyond = counts.reduce((sum, count, i) => ((from[i] ?? 0) >= 0.1 ? sum + count : sum), 0);
  return `Distances of the exact value to the source's interval lie ${range}; ${formatCount(beyond)} at 0.1 LSB or more.`;
}

export function TieHistogram({ ties, name }: { ties: Histogram; name: string }) {
  const { counts, from } = ties;
  const most = counts.reduce((max, count) => Math.max(max, count), 1);
  const step = WIDTH / counts.length;
  const text = tieText(ties);
  return (
    <figure class="ties">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Distances to the tie of ${name}: ${text}`}>
        {counts.map((count, i) => {
          const height = count === 0 ? 0 : Math.max(2, Math.round(((BASE - 14) * count) / most));
          return (
            <g key={from[i]}>
              <rect class={i > 16 ? "bar far" : "bar"} x={i * step + 1} y={BASE - height} width={step - 2} height={height}>
                <title>{`${formatCount(count)} from ${from[i]} LSB`}</title>
              </rect>
              {count > 0 && (
                <text class="count" x={(i + 0.5) * step} y={BASE - height - 3}>
                  {formatCount(count)}
                </text>
              )}
            </g>
          );
        })}
        <line class="axis" x1="0" x2={WIDTH} y1={BASE} y2={BASE} />
        {TICKS.map((tick) => (
          <text class="tick" key={tick} x={from.indexOf(tick) * step} y={BASE + 16}>
            {powerOfTen(tick)}
          </text>
        ))}
      </svg>
      <figcaption>
        <b>How far from the tie.</b> {text} <small>LSB, half decades; a value on the tie lies leftmost.</small>
      </figcaption>
    </figure>
  );
}
