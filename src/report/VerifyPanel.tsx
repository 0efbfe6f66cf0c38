/** The verification panel: verdict, totals, every layer worst first, and for those that differ where and how far. */
import { formatCount, formatLsb, operatorLabel } from "../cli/table.ts";
import type { LayerReport, Mismatch, VerifyReport } from "../index.ts";
import { HeatmapFigure } from "./Heatmap.tsx";
import { TieHistogram } from "./TieHistogram.tsx";
import { Figure, FilterBox, Scroll, type SortColumn, SortTitles } from "./table.tsx";
import { verdictSentence, worstFirst } from "./words.ts";

const MARKS = { exact: "●", explained: "◐", undecided: "◇", mismatch: "▲" } as const;

/** The state of one layer, by the words of a verdict; end to end alone: equal or differing. */
function stateOf({ local, endToEnd }: LayerReport): keyof typeof MARKS {
  if (local) return local.unexplained > 0 ? "mismatch" : local.undecided > 0 ? "undecided" : local.explained > 0 ? "explained" : "exact";
  return (endToEnd?.differing ?? 0) > 0 ? "undecided" : "exact";
}

export function VerdictLine({ report }: { report: VerifyReport }) {
  return (
    <p class={`verdict ${report.verdict}`} data-verdict={report.verdict}>
      <span class="word">
        <span aria-hidden="true">{MARKS[report.verdict]}</span> {report.verdict}
      </span>{" "}
      {verdictSentence(report)}
    </p>
  );
}

function columnsOf({ totals }: VerifyReport): SortColumn[] {
  return [
    { title: "layer output", text: true },
    { title: "operators", text: true, wide: true },
    { title: "elements", wide: true },
    { title: "equal", wide: true },
    ...(totals.local
      ? [
          { title: "explained", short: "expl.", hint: "differ within the source's own error bound, which is below half an LSB" },
          { title: "undecided", short: "und.", hint: "differ where the source is too imprecise to judge" },
          { title: "unexplained", short: "unex.", hint: "differ by more than the source's error, or from the integer reference" },
        ]
      : []),
    { title: "LSB", hint: "largest difference", wide: true },
    ...(totals.endToEnd
      ? [{ title: "end to end", short: "e2e", hint: "elements that differ when the whole model runs; information only" }]
      : []),
  ];
}

function LayerRow({ layer, report }: { layer: LayerReport; report: VerifyReport }) {
  const { tensor, op, local, endToEnd } = layer;
  const { totals } = report;
  const counts = totals.local ? local : endToEnd;
  const state = stateOf(layer);
  const open = local !== null && local.worst.length > 0;
  const name = (
    <>
      <span class={`state ${state}`} aria-hidden="true">
        {MARKS[state]}
      </span>
      {"\u00a0"}
      <span class="name">{tensor}</span>
    </>
  );
  return (
    <tr>
      <th scope="row">
        {open ? (
          <button type="button" data-toggle="" aria-expanded="false" aria-label={`${tensor}: show where it differs`}>
            {name}
          </button>
        ) : (
          name
        )}
      </th>
      <td class="wide text">{operatorLabel(op)}</td>
      <Figure wide value={counts?.elements ?? null} text={counts ? formatCount(counts.elements) : "–"} />
      <Figure wide value={counts?.equal ?? null} text={counts ? formatCount(counts.equal) : "–"} />
      {totals.local &&
        (["explained", "undecided", "unexplained"] as const).map((kind) => (
          <Figure
            key={kind}
            value={local?.[kind] ?? null}
            text={local ? formatCount(local[kind]) : "–"}
            mark={local?.[kind] ? kind : "none"}
          />
        ))}
      <Figure wide value={counts?.maxLsb ?? null} text={counts ? formatLsb(counts.maxLsb) : "–"} />
      {totals.endToEnd && <Figure value={endToEnd?.differing ?? null} text={endToEnd ? formatCount(endToEnd.differing) : "–"} />}
    </tr>
  );
}

function WorstTable({ worst, name }: { worst: readonly Mismatch[]; name: string }) {
  return (
    <Scroll label={`Worst mismatches of ${name}`}>
      <table class="worst">
        <caption>Worst {worst.length}</caption>
        <thead>
          <tr>
            {["sample", "index", "runtime", "source", "exact value", "to the tie, LSB", "units", "bound, LSB"].map((title) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {worst.map((m) => (
            <tr key={`${m.sample} ${m.index.join()}`}>
              {[
                m.sample,
                `[${m.index.join(", ")}]`,
                m.runtime,
                m.source,
                m.exact.toFixed(6),
                formatLsb(m.tieDistance),
                m.tieUnits === null ? "–" : formatLsb(m.tieUnits),
                formatLsb(m.bound),
              ].map((cell, i) => (
                <td key={i}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function LayerDetail({ layer, columns }: { layer: LayerReport; columns: number }) {
  const { local, tensor } = layer;
  if (!local || local.worst.length === 0) return null;
  return (
    <tr class="detail" hidden>
      <td colSpan={columns}>
        <div class="inside">
          <div class="figures">
            {local.map && <HeatmapFigure map={local.map} name={tensor} />}
            {local.ties && <TieHistogram ties={local.ties} name={tensor} />}
          </div>
          <WorstTable worst={local.worst} name={tensor} />
        </div>
      </td>
    </tr>
  );
}

/** Every layer, worst first. */
export function VerifyPanel({ report }: { report: VerifyReport }) {
  const layers = worstFirst(report.layers);
  const columns = columnsOf(report);
  const differing = (layer: LayerReport): number => {
    const counts = report.totals.local ? layer.local : layer.endToEnd;
    return counts ? counts.elements - counts.equal : 0;
  };
  return (
    <div data-panel="verify">
      <VerdictLine report={report} />
      <FilterBox label="Filter layers" rows={layers.length}>
        <label class="check">
          <input type="checkbox" data-differing="" /> only those that differ
        </label>
      </FilterBox>
      <Scroll label="Layers, worst first">
        <table class="layers">
          <SortTitles columns={columns} />
          {layers.map((layer) => (
            <tbody
              key={layer.tensor}
              data-text={`${layer.tensor} ${layer.op} ${layer.nodes.join(" ")}`.toLowerCase()}
              data-differing={differing(layer)}
              data-layer={layer.tensor}
            >
              <LayerRow layer={layer} report={report} />
              <LayerDetail layer={layer} columns={columns.length} />
            </tbody>
          ))}
        </table>
      </Scroll>
    </div>
  );
}
