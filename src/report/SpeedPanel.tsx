/** The speed panel: the time of a run, of its layers in order and of its kernels. */
import { formatCount, formatPercent, operatorLabel, plural } from "../cli/table.ts";
import type { BenchReport, BenchRow } from "./benchReport.ts";
import { Bar, Figure, FilterBox, Scroll, type SortColumn, SortTitles } from "./table.tsx";

/** Milliseconds with as many digits as matter: "0.0421", "12.34". */
export function milliseconds(value: number): string {
  return value < 0.1 ? value.toFixed(4) : value < 10 ? value.toFixed(3) : value.toFixed(1);
}

const COLUMNS: readonly SortColumn[] = [
  { title: "layer", text: true },
  { title: "operators", text: true, wide: true },
  { title: "µs", hint: "median" },
  { title: "least µs", wide: true },
  { title: "share" },
  { title: "GOPS", hint: "billions of operations a second, two per multiply-accumulate", wide: true },
];

const KERNEL_COLUMNS: readonly SortColumn[] = [{ title: "kernel", text: true }, ...COLUMNS.slice(2)];

function TimeTable({
  label,
  rows,
  ops,
  columns,
}: {
  label: string;
  rows: readonly BenchRow[];
  ops?: BenchReport["ops"];
  columns: readonly SortColumn[];
}) {
  const total = rows.reduce((sum, { medianMs }) => sum + medianMs, 0);
  const most = rows.reduce((max, { medianMs }) => Math.max(max, medianMs), 0);
  return (
    <Scroll label={label}>
      <table class="times">
        <SortTitles columns={columns} />
        {rows.map((row) => (
          <tbody key={row.name} data-text={`${row.name} ${ops?.[row.name] ?? ""}`.toLowerCase()} data-layer={row.name}>
            <tr>
              <th scope="row">
                <span class="name">{row.name}</span>
                <Bar share={most === 0 ? 0 : row.medianMs / most} />
              </th>
              {ops && <td class="wide text">{operatorLabel(ops[row.name] ?? "")}</td>}
              <Figure value={row.medianMs} text={(1000 * row.medianMs).toFixed(1)} />
              <Figure wide value={row.minMs} text={(1000 * row.minMs).toFixed(1)} />
              <Figure value={row.medianMs / (total || 1)} text={formatPercent(row.medianMs, total)} />
              <Figure wide value={row.gops} text={row.gops === null ? "–" : row.gops.toFixed(1)} />
            </tr>
          </tbody>
        ))}
      </table>
    </Scroll>
  );
}

export function SpeedPanel({ report }: { report: BenchReport }) {
  const of = (suite: BenchRow["suite"]): BenchRow[] => report.rows.filter((row) => row.suite === suite);
  const [model] = of("model");
  const layers = of("layer");
  if (!model) return null;
  return (
    <div data-panel="speed">
      <p class="headline">
        <b data-median={model.medianMs}>{milliseconds(model.medianMs)} ms</b> a run, median of {report.runs}; least{" "}
        {milliseconds(model.minMs)} ms.
        {model.gops !== null && ` ${formatCount(report.macs)} multiply-accumulates, ${model.gops.toFixed(1)} GOPS.`} Kernels {model.variant}
        , {plural(model.threads, "thread")}.
      </p>
      <FilterBox label="Filter layers" rows={layers.length} />
      <TimeTable label="Layers in order" rows={layers} ops={report.ops ?? {}} columns={COLUMNS} />
      <details>
        <summary>By kernel</summary>
        <TimeTable label="Kernels by time" rows={of("kernel")} columns={KERNEL_COLUMNS} />
      </details>
    </div>
  );
}
