/** The noise panel: what quantization costs, layer by layer, as a chart and as a table. */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import type { LayerReport, VerifyReport } from "../index.ts";
import { Scroll } from "./table.tsx";

const WIDTH = 720;
const HEIGHT = 250;
const LEFT = 46;
const RIGHT = 10;
const TOP = 16;
const BOTTOM = 34;

interface Point {
  readonly at: number;
  readonly layer: LayerReport;
  readonly local: number | null | undefined;
  readonly cumulative: number | null | undefined;
}

function pointsOf({ layers }: VerifyReport): Point[] {
  return layers.map((layer, at) => ({ at, layer, local: layer.noise?.localDb, cumulative: layer.noise?.cumulativeDb }));
}

/** 31.2 → "31.2", null → "no noise", absent → "–". */
function decibelText(value: number | null | undefined): string {
  return value === undefined ? "–" : value === null ? "no noise" : value.toFixed(1);
}

const finite = (value: number | null | undefined): value is number => typeof value === "number";

function Chart({ points }: { points: readonly Point[] }) {
  const values = points.flatMap(({ local, cumulative }) => [local, cumulative].filter(finite));
  const x = scaleLinear()
    .domain([0, Math.max(1, points.length - 1)])
    .range([LEFT, WIDTH - RIGHT]);
  const y = scaleLinear()
    .domain([Math.min(0, ...values), Math.max(10, ...values)])
    .nice()
    .range([HEIGHT - BOTTOM, TOP]);
  const series = (of: (point: Point) => number | null | undefined) => ({
    path: line<Point>()
      .x((point) => x(point.at))
      .y((point) => y(of(point) as number))(points.filter((point) => finite(of(point)))),
    marks: points.filter((point) => finite(of(point))).map((point) => ({ point, cx: x(point.at), cy: y(of(point) as number) })),
  });
  const local = series((point) => point.local);
  const cumulative = series((point) => point.cumulative);
  const least = points.filter(({ cumulative: db }) => finite(db)).sort((a, b) => (a.cumulative as number) - (b.cumulative as number))[0];
  const label = `Signal to noise per layer in dB, ${points.length} layers.${least ? ` Least accumulated: ${decibelText(least.cumulative)} dB at ${least.layer.tensor}.` : ""} The table below holds every value.`;
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {y.ticks(5).map((tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
          <text class="tick-y" x={LEFT - 6} y={y(tick) + 4}>
            {tick}
          </text>
        </g>
      ))}
      <text class="title-x" x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 8}>
        {`signal to noise in dB, layers 1 to ${points.length} in order of execution`}
      </text>
      <path class="line local" d={local.path ?? ""} />
      <path class="line cumulative" d={cumulative.path ?? ""} />
      {local.marks.map(({ point, cx, cy }) => (
        <circle class="mark local" key={point.at} cx={cx} cy={cy} r="3.5">
          <title>{`${point.layer.tensor}: alone ${decibelText(point.local)} dB`}</title>
        </circle>
      ))}
      {cumulative.marks.map(({ point, cx, cy }) => (
        <rect class="mark cumulative" key={point.at} x={cx - 3} y={cy - 3} width="6" height="6">
          <title>{`${point.layer.tensor}: accumulated ${decibelText(point.cumulative)} dB`}</title>
        </rect>
      ))}
    </svg>
  );
}

function NoiseTable({ points }: { points: readonly Point[] }) {
  return (
    <details>
      <summary>The same as a table</summary>
      <Scroll label="Signal to noise per layer">
        <table class="noise">
          <thead>
            <tr>
              <th scope="col" class="text">
                layer output
              </th>
              <th scope="col" class="figure">
                alone, dB
              </th>
              <th scope="col" class="figure">
                accumulated, dB
              </th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ layer, local, cumulative }) => (
              <tr key={layer.tensor} data-layer={layer.tensor}>
                <th scope="row">
                  <span class="name">{layer.tensor}</span>
                </th>
                <td class="figure">{decibelText(local)}</td>
                <td class="figure">{decibelText(cumulative)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

/** The series that were measured: mode local has no accumulated noise, mode endToEnd nothing else. */
function Legend({ points }: { points: readonly Point[] }) {
  return (
    <p class="legend">
      {points.some(({ local }) => local !== undefined) && (
        <span>
          <svg viewBox="0 0 24 10" aria-hidden="true">
            <path class="line local" d="M0 5H24" />
            <circle class="mark local" cx="12" cy="5" r="3.5" />
          </svg>
          alone: codes against the exact values they round
        </span>
      )}
      {points.some(({ cumulative }) => cumulative !== undefined) && (
        <span>
          <svg viewBox="0 0 24 10" aria-hidden="true">
            <path class="line cumulative" d="M0 5H24" />
            <rect class="mark cumulative" x="9" y="2" width="6" height="6" />
          </svg>
          accumulated: against the same network with float activations
        </span>
      )}
    </p>
  );
}

/** Signal to quantization noise of each layer; nothing where it was not measured. */
export function SqnrPanel({ report }: { report: VerifyReport }) {
  const points = pointsOf(report);
  if (!points.some(({ local, cumulative }) => local !== undefined || cumulative !== undefined)) return null;
  return (
    <div data-panel="sqnr">
      <Legend points={points} />
      <Chart points={points} />
      <NoiseTable points={points} />
    </div>
  );
}
