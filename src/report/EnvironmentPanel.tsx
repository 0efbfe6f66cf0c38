/** The environment panel: what figures were found on. */

export type Fact = readonly [label: string, value: string];

export function EnvironmentPanel({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts" data-panel="environment">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
