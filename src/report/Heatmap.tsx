/** Where in a layer's output mismatches lie, as a picture with its text. */
import { formatCount, plural } from "../cli/table.ts";
import type { Heatmap } from "../index.ts";

const SHADES = 4;

/** Cells by shade, 1 … SHADES, the darkest those with the most mismatches, as lines one cell thick through each run of a shade. */
function shades({ counts, columns }: Heatmap): string[] {
  const most = counts.reduce((max, count) => Math.max(max, count), 1);
  const shadeAt = (i: number): number => Math.ceil((SHADES * counts[i]!) / most);
  const paths = new Array<string>(SHADES).fill("");
  const pens = Array.from(paths, () => ({ x: 0, y: 0 }));
  for (let i = 0; i < counts.length; ) {
    const shade = shadeAt(i);
    const rest = columns - (i % columns); // of the row
    let run = 1;
    while (run < rest && shadeAt(i + run) === shade) run++;
    const pen = pens[shade - 1];
    if (pen) {
      const [x, y] = [i % columns, Math.floor(i / columns)];
      paths[shade - 1] += `m${x - pen.x} ${y - pen.y}h${run}`;
      Object.assign(pen, { x: x + run, y });
    }
    i += run;
  }
  return paths;
}

/** What the picture shows, in words. */
export function heatmapText({ counts, rows, columns, rowSize, columnSize, rowAxis }: Heatmap): string {
  const perRow = Array.from({ length: rows }, (_, row) =>
    counts.slice(row * columns, (row + 1) * columns).reduce((sum, count) => sum + count, 0),
  );
  const total = perRow.reduce((sum, count) => sum + count, 0);
  const hit = perRow.filter((count) => count > 0).length;
  const cells = counts.filter((count) => count > 0).length;
  const worst = perRow.indexOf(perRow.reduce((max, count) => Math.max(max, count), 0));
  if (rowAxis === null)
    return `${plural(total, "mismatch").replace(/hs$/, "hes")} in ${cells} of ${columns} parts of ${columnSize} elements.`;
  const name = rows === rowSize ? "row" : `group of ${Math.ceil(rowSize / rows)} rows`;
  return `${total === 1 ? "1 mismatch" : `${formatCount(total)} mismatches`} in ${hit} of ${rows} ${name === "row" ? "rows" : "groups of rows"}, ${cells} of ${counts.length} cells; most, ${formatCount(perRow[worst] ?? 0)}, in ${name} ${worst} (axis ${rowAxis}).`;
}

export function HeatmapFigure({ map, name }: { map: Heatmap; name: string }) {
  const { rows, columns, rowSize, columnSize, rowAxis, columnAxes } = map;
  const text = heatmapText(map);
  const down = rowAxis === null ? "" : `down: axis ${rowAxis}, ${formatCount(rowSize)} elements; `;
  return (
    <figure class="heatmap">
      <svg viewBox={`-0.1 -0.1 ${columns + 0.2} ${rows + 0.2}`} role="img" aria-label={`Mismatches of ${name}: ${text}`}>
        <rect class="empty" width={columns} height={rows} />
        <g transform="translate(0 0.5)">{shades(map).map((path, shade) => path && <path class={`shade${shade + 1}`} d={path} />)}</g>
      </svg>
      <figcaption>
        <b>Where.</b> {text}{" "}
        <small>
          {down}across: {columnAxes.length > 1 ? "axes" : "axis"} {columnAxes.join(", ") || "0"}, {formatCount(columnSize)} elements.
        </small>
      </figcaption>
    </figure>
  );
}
