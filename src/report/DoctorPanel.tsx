/** The environment panel: what this engine is, which kernels are exact on it and why, as doctor() found. */
import { formatBytes, plural } from "../cli/table.ts";
import type { DoctorReport } from "../doctor/report.ts";
import type { RelaxedDot } from "../kernels/relaxedDot.ts";
import { EnvironmentPanel, type Fact } from "./EnvironmentPanel.tsx";
import { Scroll } from "./table.tsx";

const DOTS: Readonly<Record<RelaxedDot, string>> = {
  unsigned: "reads its second operand as unsigned",
  signed: "reads its second operand as signed",
  saturating: "saturates pairs to 16 bits",
  wrapping: "wraps pairs to 16 bits",
  other: "none of the known behaviours",
  absent: "absent",
};

/** The findings in one line each. */
export function doctorFacts({ engine, chosen, threads, memory, relaxedDot, version }: DoctorReport): Fact[] {
  const isolated =
    threads.crossOriginIsolated === null ? "" : threads.crossOriginIsolated ? "cross-origin isolated" : "not cross-origin isolated";
  return [
    ["Engine", [engine.name, engine.platform].filter(Boolean).join(", ")],
    ...(engine.cpu ? ([["Processor", engine.cpu]] as Fact[]) : []),
    ["Kernels", chosen ?? "none is exact here"],
    ["Relaxed dot product", DOTS[relaxedDot.warm]],
    [
      "Threads",
      [`${plural(threads.available, "thread")} of ${plural(threads.cores ?? 1, "core")}`, isolated, threads.why].filter(Boolean).join("; "),
    ],
    ["Memory", `up to ${formatBytes(memory.largestBytes)}`],
    ["Written by", `bitexact ${version}`],
  ];
}

export function DoctorPanel({ report }: { report: DoctorReport }) {
  return (
    <div data-panel="doctor" data-healthy={report.healthy}>
      <EnvironmentPanel facts={doctorFacts(report)} />
      <Scroll label="Kernel variants">
        <table class="variants">
          <caption>Kernel variants</caption>
          <thead>
            <tr>
              <th scope="col">variant</th>
              <th scope="col">known answers</th>
              <th scope="col" class="figure">
                GOPS
              </th>
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            {report.variants.map(({ variant, exact, chosen, why, gops }) => (
              <tr key={variant}>
                <th scope="row">{chosen ? <b>{variant}</b> : variant}</th>
                <td>{exact ? "all right" : "not exact"}</td>
                <td class="figure">{gops === null ? "–" : gops.toFixed(1)}</td>
                <td>{why}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}
