/** Where in a layer's output mismatches lie, as a picture with its text. */
import { formatCount, plural } from "../cli/table.ts";
import type { Heatmap } from "../index.ts";

const SHADES = 4;
const CELL = 10;

/** Cells by shade, 1 … SHADES, the darkest those with the most mismatches; cells without any are left out. */
function shades({ counts, columns }: Heatmap): string[] {
  const most = counts.reduce((max, count) => Math.max(max, count), 1);
  const paths = new Array<string>(SHADES).fill("");
  counts.forEach((count, i) => {
    if (count === 0) return;
    const shade = Math.max(0, Math.ceil((SHADES * count) / most) - 1);
    paths[shade] += `M${CELL * (i % columns)} ${CELL * Math.floor(i / columns)}h${CELL}v${CELL}h-${CELL}z`;
  });
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
  const width = CELL * columns;
  const height = CELL * rows;
  const text = heatmapText(map);
  const down = rowAxis === null ? "" : `down: axis ${rowAxis}, ${formatCount(rowSize)} elements; `;
  return (
    <figure class="heatmap">
      <svg viewBox={`-1 -1 ${width + 2} ${height + 2}`} role="img" aria-label={`Mismatches of ${name}: ${text}`}>
        <rect class="empty" width={width} height={height} />
        {shades(map).map((path, shade) => path && <path class={`shade${shade + 1}`} d={path} />)}
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
