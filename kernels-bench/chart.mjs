// The scaling chart: one small log-log plot per axis, time against size, with the line that proportional cost would follow from the largest size down.
import { scaleLog } from "d3-scale";
import { line } from "d3-shape";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [300, 210, 52, 34, 26];
const style = 'font-family="sans-serif" font-size="11" fill="#333"';

/** SVG text of rows { axis, fixed, value, minMs }. */
export function scalingChart(rows) {
  const axes = [...new Set(rows.map(({ axis }) => axis))];
  const series = axes.map((axis) => rows.filter((row) => row.axis === axis));
  const plots = series.map((points, i) => `<g transform="translate(${(i % 3) * WIDTH},${Math.floor(i / 3) * HEIGHT})">${plot(points)}</g>`);
  const height = Math.ceil(series.length / 3) * HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${3 * WIDTH}" height="${height}" viewBox="0 0 ${3 * WIDTH} ${height}"><rect width="100%" height="100%" fill="white"/>${plots.join("")}</svg>\n`;
}

function plot(points) {
  const values = points.map(({ value }) => value);
  const times = points.map(({ minMs }) => minMs);
  const last = points.at(-1);
  const power = last.axis === "channels" || last.axis === "image side" ? 2 : 1; // work grows with the square there
  const proportional = (value) => last.minMs * (value / last.value) ** power;
  const x = scaleLog([Math.min(...values), Math.max(...values)], [LEFT, WIDTH - 12]).base(2);
  const y = scaleLog([Math.min(...times, proportional(values[0])), Math.max(...times)], [HEIGHT - BOTTOM, TOP]);
  const path = line(
    ([value]) => x(value),
    ([, time]) => y(time),
  );
  const xTicks = values.filter((_, i) => i % Math.ceil(values.length / 6) === 0);
  const yTicks = y.ticks(4).filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6));
  const label = (tick) => (tick >= 1 ? `${tick} ms` : `${+(tick * 1000).toPrecision(3)} µs`);
  return [
    `<text ${style} x="${LEFT}" y="15" font-weight="bold">${last.axis} (${last.fixed})</text>`,
    ...yTicks.map(
      (tick) =>
        `<line x1="${LEFT}" x2="${WIDTH - 12}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/><text ${style} x="${LEFT - 4}" y="${y(tick) + 4}" text-anchor="end">${label(tick)}</text>`,
    ),
    ...xTicks.map((tick) => `<text ${style} x="${x(tick)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${tick}</text>`),
    `<path d="${path(values.map((value) => [value, proportional(value)]))}" fill="none" stroke="#bbb" stroke-dasharray="4 3"/>`,
    `<path d="${path(points.map(({ value, minMs }) => [value, minMs]))}" fill="none" stroke="#1565c0" stroke-width="2"/>`,
    ...points.map(({ value, minMs }) => `<circle cx="${x(value)}" cy="${y(minMs)}" r="2.5" fill="#1565c0"/>`),
  ].join("");
}
