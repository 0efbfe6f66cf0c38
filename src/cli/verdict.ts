/** A VerifyReport for people: the table, worst layer first, and the verdict in words and numbers. */
import pc from "picocolors";
import type { LayerReport, LocalCounts, VerifyReport } from "../index.ts";
import { verdictSentence, worstFirst } from "../report/words.ts";
import { type Column, formatCount, formatLsb, formatTable, operatorLabel, wrap } from "./table.ts";

/** The layer table in `width` characters; the columns follow from the modes the report holds. */
export function layerTable(report: VerifyReport, width: number): string {
  const columns: Column[] = [
    { title: "layer output", align: "left", shrink: true },
    { title: "op", align: "left", shrink: true },
  ];
  if (report.totals.local) {
    for (const title of ["elements", "equal", "expl.", "undec.", "unexpl.", "LSB"]) columns.push({ title });
  }
  if (report.totals.endToEnd)
    for (const title of report.totals.local ? ["e2e diff"] : ["elements", "equal", "differ", "LSB"]) columns.push({ title });
  return formatTable(
    columns,
    worstFirst(report.layers).map((layer) => layerCells(layer, report)),
    width,
  );
}

function layerCells(layer: LayerReport, { totals }: VerifyReport): string[] {
  const { local, endToEnd } = layer;
  const cells = [layer.tensor, operatorLabel(layer.op)];
  if (totals.local) {
    cells.push(...(local ? countCells(local) : ["–", "–", "–", "–", "–", "–"]));
    if (totals.endToEnd) cells.push(endToEnd ? formatCount(endToEnd.differing) : "–");
  } else if (endToEnd) {
    cells.push(formatCount(endToEnd.elements), formatCount(endToEnd.equal), formatCount(endToEnd.differing), formatLsb(endToEnd.maxLsb));
  }
  return cells;
}

function countCells(counts: LocalCounts): string[] {
  const { elements, equal, explained, undecided, unexplained } = counts;
  return [...[elements, equal, explained, undecided, unexplained].map(formatCount), formatLsb(counts.maxLsb)];
}

const COLOURS = { exact: pc.green, explained: pc.green, undecided: pc.yellow, mismatch: pc.red } as const;

/** The verdict line(s): one word, then what it means here in numbers. */
export function verdictText(report: VerifyReport, width: number): string {
  const word = report.verdict.toUpperCase();
  const text = wrap(`${word}: ${verdictSentence(report)}`, width, "  ");
  return COLOURS[report.verdict](pc.bold(text.slice(0, word.length + 1))) + text.slice(word.length + 1);
}

/** Lines under the table: what the report covers and how precise the source was. */
export function coverageText(report: VerifyReport, width: number): string {
  const lines: string[] = [];
  const { recorded, matched, unmatched } = report.coverage;
  if (report.against === "recorded")
    lines.push(`Recorded tensors: ${formatCount(recorded)}, of these in the model: ${formatCount(matched)}.`);
  if (unmatched.length > 0) lines.push(wrap(`Not in the model: ${unmatched.join(", ")}`, width, "  "));
  const { endToEnd } = report.totals;
  if (endToEnd && report.totals.local) {
    const sqnr = endToEnd.sqnrDb === null ? "infinite" : `${endToEnd.sqnrDb.toFixed(1)} dB`;
    lines.push(
      `End to end: ${formatCount(endToEnd.equal)} of ${formatCount(endToEnd.elements)} elements equal, max ${formatLsb(endToEnd.maxLsb)} LSB, SQNR ${sqnr}.`,
    );
  }
  return lines.join("\n");
}
