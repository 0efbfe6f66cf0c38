/** The inspection panel: what a model is and what of it runs in integers, before anything runs. */
import { formatBytes, formatCount, plural } from "../cli/table.ts";
import type { InspectReport, PortReport } from "../inspectReport.ts";
import { Bar, Scroll } from "./table.tsx";

function Tile({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd>
        <b>{value}</b> {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Coverage({ label, encoded, total }: { label: string; encoded: number; total: number }) {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd>
        <b>
          {formatCount(encoded)} of {formatCount(total)}
        </b>
        <Bar share={total === 0 ? 0 : encoded / total} />
      </dd>
    </div>
  );
}

function Ports({ title, ports }: { title: string; ports: readonly PortReport[] }) {
  return (
    <>
      {ports.map(({ name, type, shape, encoding }) => (
        <tr key={name}>
          <td>{title}</td>
          <th scope="row">
            <span class="name">{name}</span>
          </th>
          <td>
            {type} [{shape.join(" × ")}]
          </td>
          <td>{encoding ? `${encoding.type}, scale ${encoding.scale.toPrecision(5)}, zero point ${encoding.zeroPoint}` : "not encoded"}</td>
        </tr>
      ))}
    </>
  );
}

const FORMS: Readonly<Record<string, string>> = { island: "in float32", refused: "only in the simulation" };

function Operators({ report }: { report: InspectReport }) {
  return (
    <Scroll label="Operators and how they run">
      <table class="operators">
        <caption>Operators and how they run</caption>
        <thead>
          <tr>
            <th scope="col" class="text">
              operator
            </th>
            <th scope="col" class="figure">
              nodes
            </th>
            <th scope="col" class="text">
              run as
            </th>
          </tr>
        </thead>
        <tbody>
          {report.operators.map(({ op, count, forms }) => (
            <tr key={op}>
              <th scope="row">{op}</th>
              <td class="figure">{formatCount(count)}</td>
              <td>
                {Object.entries(forms)
                  .map(([form, nodes]) => `${FORMS[form] ?? form}${Object.keys(forms).length > 1 ? ` ${nodes}` : ""}`)
                  .join(", ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Remarks({ report }: { report: InspectReport }) {
  const { warnings, refused, unmatched } = report;
  const lists: [string, readonly string[]][] = [
    ["Nodes that only the simulation runs", refused.map(({ node, message }) => `${node}: ${message}`)],
    ["Names in the encodings that the model does not have", unmatched.encodings],
    ["Values of the model that no encoding reaches", unmatched.values],
    ["Notes", warnings.map(({ message }) => message)],
  ];
  return (
    <>
      {lists
        .filter(([, items]) => items.length > 0)
        .map(([title, items]) => (
          <details key={title}>
            <summary>
              {title}: {formatCount(items.length)}
            </summary>
            <ul class="remarks">
              {items.map((item) => (
                <li key={item}>{item}</li>
              ))}
            </ul>
          </details>
        ))}
    </>
  );
}

export function InspectPanel({ report }: { report: InspectReport }) {
  const { coverage, weightBytes, operators, refused } = report;
  const nodes = operators.reduce((sum, { count }) => sum + count, 0);
  const inFloat = operators.reduce((sum, { forms }) => sum + (forms.island ?? 0), 0);
  const integers = nodes - inFloat - refused.length;
  return (
    <div data-panel="inspect">
      <dl class="tiles">
        <Coverage label="Operators in integers" encoded={integers} total={nodes} />
        <Coverage label="Activations encoded" {...coverage.activations} />
        <Coverage label="Weights encoded" {...coverage.parameters} />
        <Tile label="Work of one run" value={formatCount(report.macs)} note="multiply-accumulates" />
        <Tile label="Weights" value={formatBytes(weightBytes.after)} note={`packed; ${formatBytes(weightBytes.before)} as float32`} />
        <Tile label="Activations in memory" value={formatBytes(report.arenaBytes)} />
        <Tile label="Target" value={report.target} note={`kernels ${report.variant}`} />
        <Tile label="Fused" value={plural(report.clusters.length, "layer")} note="of two or more operators, one rounding each" />
      </dl>
      <div class="columns">
        <Operators report={report} />
        <Scroll label="Inputs and outputs">
          <table class="ports">
            <caption>Inputs and outputs</caption>
            <tbody>
              <Ports title="input" ports={report.inputs} />
              <Ports title="output" ports={report.outputs} />
            </tbody>
          </table>
        </Scroll>
      </div>
      <Remarks report={report} />
    </div>
  );
}
