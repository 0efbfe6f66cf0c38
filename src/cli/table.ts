/** Text tables and numbers for a terminal of 80 columns. */

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right"; // default right
  readonly shrink?: boolean; // cells may be shortened in the middle
}

const NARROWEST = 8;

/** Rows under their titles, two spaces apart. `shrink` columns give way, the widest first, so that lines fit `width`. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const widths = columns.map((column, i) => rows.reduce((most, row) => Math.max(most, (row[i] ?? "").length), column.title.length));
  const soft = columns.flatMap((column, i) => (column.shrink ? [i] : []));
  for (let excess = widths.reduce((sum, w) => sum + w + 2, -2) - width; excess > 0; excess--) {
    const widest = soft.reduce((best, i) => ((widths[i] as number) > (widths[best] as number) ? i : best), soft[0] ?? -1);
    if (widest < 0 || (widths[widest] as number) <= NARROWEST) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const w = widths[i] ?? 0;
        const text = shorten(cell, w);
        return columns[i]?.align === "left" ? text.padEnd(w) : text.padStart(w);
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((w) => "-".repeat(w)).join("  ");
  return [line(columns.map((column) => column.title)), rule, ...rows.map(line)].join("\n");
}

/** `text` in at most `width` characters, its middle replaced by "…". */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const head = Math.floor((width - 1) / 3);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/** A layer's operators in one cell: "Conv+Relu"; a long chain by its ends, "ReduceMean+…+Add (9)". */
export function operatorLabel(op: string): string {
  const names = op.split("+");
  return names.length <= 2 ? op : `${names[0]}+…+${names.at(-1)} (${names.length})`;
}

/** 1234567 → "1,234,567". */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** "1 layer", "2 layers". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Bytes with a binary unit: 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** A small quantity in LSB: "0", "0.0003", "0.25", "12". */
export function formatLsb(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 10 ? value.toFixed(0) : value.toPrecision(2);
}

export function formatPercent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`;
}

/** Lines of at most `width` characters, broken at spaces, each after the first indented by `indent`; leading spaces stay. */
export function wrap(text: string, width: number, indent = ""): string {
  const [first = "", ...words] = text.trimStart().split(" ");
  const lines: string[] = [];
  let line = text.slice(0, text.length - text.trimStart().length) + first;
  for (const word of words) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
