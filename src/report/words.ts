/** What a VerifyReport says in words, and the order of its layers. */
import { formatCount, formatLsb, plural } from "../cli/table.ts";
import type { LayerReport, Mismatch, VerifyReport } from "../index.ts";

/** What the runtime was compared with, in words. */
export function sourceName(against: string): string {
  if (against === "reference") return "the integer reference";
  if (against === "sim-f64") return "the simulation in double precision";
  if (against === "sim-f32") return "the simulation in single precision";
  return "the recorded simulation";
}

/** Layers ordered by how bad they are: unexplained, undecided, explained, largest distance, then end-to-end differences. */
export function worstFirst(layers: readonly LayerReport[]): LayerReport[] {
  const key = ({ local, endToEnd }: LayerReport): number[] => [
    local?.unexplained ?? 0,
    local?.undecided ?? 0,
    local?.explained ?? 0,
    local?.maxLsb ?? 0,
    endToEnd?.differing ?? 0,
    endToEnd?.maxLsb ?? 0,
  ];
  const compare = (a: number[], b: number[]): number => {
    const at = a.findIndex((value, i) => value !== b[i]);
    return at < 0 ? 0 : (b[at] ?? 0) - (a[at] ?? 0);
  };
  return layers
    .map((layer) => ({ layer, order: key(layer) }))
    .sort((a, b) => compare(a.order, b.order))
    .map(({ layer }) => layer);
}

/** What the verdict means here, in numbers. */
export function verdictSentence(report: VerifyReport): string {
  const source = sourceName(report.against);
  const { local, endToEnd } = report.totals;
  const scope = `${plural(report.layers.length, "layer")}, ${plural(report.samples, "sample")}`;
  if (!local) return endToEndSentence(report, source, scope);
  const of = `of ${formatCount(local.elements)} elements (${scope})`;
  const differing = local.elements - local.equal;
  if (report.verdict === "exact") return `all ${formatCount(local.elements)} elements (${scope}) equal ${source}, bit for bit.`;
  const distance = `by at most ${formatLsb(local.maxLsb)} LSB`;
  if (report.verdict === "explained") {
    return `${formatCount(differing)} ${of} ${differing === 1 ? "differs" : "differ"} from ${source}, ${distance}; the exact value there lies so near a rounding tie that the source's own rounding errors account for it.`;
  }
  if (report.verdict === "undecided") {
    return `${formatCount(local.undecided)} ${of} ${local.undecided === 1 ? "differs" : "differ"} from ${source} where the source is too imprecise to judge (its error bound reaches half an LSB); none is proven wrong.`;
  }
  const outside = local.unexplained === 1 ? "1 element lies" : `${formatCount(local.unexplained)} elements lie`;
  return (
    `${outside} farther from ${source} than its error can explain, or differ from the integer reference (${formatCount(differing)} ${of} differ, ${distance}).${worstSentence(report.layers)}` +
    (endToEnd && endToEnd.differing === 0 ? " End to end all are equal." : "")
  );
}

function endToEndSentence(report: VerifyReport, source: string, scope: string): string {
  const counts = report.totals.endToEnd;
  if (!counts) return "nothing was compared.";
  if (counts.differing === 0) return `all ${formatCount(counts.elements)} elements (${scope}) equal ${source} end to end, bit for bit.`;
  return (
    `${formatCount(counts.differing)} of ${formatCount(counts.elements)} elements (${scope}) differ from ${source} end to end, by at most ${formatLsb(counts.maxLsb)} LSB.` +
    (report.verdict === "mismatch" ? "" : " After one flip, ties downstream mean nothing: run local mode to judge each layer.")
  );
}

function worstSentence(layers: readonly LayerReport[]): string {
  const layer = worstFirst(layers)[0];
  const worst: Mismatch | undefined = layer?.local?.worst[0];
  if (!layer || !worst) return "";
  return ` Worst: ${layer.tensor}[${worst.index.join(", ")}] of sample ${worst.sample}: runtime ${worst.runtime}, source ${worst.source}, exact value ${worst.exact.toFixed(6)}, ${formatLsb(worst.tieDistance)} LSB from the source's interval, bound ${formatLsb(worst.bound)}.`;
}
