/** Starting a verification, watching it, stopping it, and its panel. */
import { useMemo } from "preact/hooks";
import { VerifyPanel } from "../src/report/VerifyPanel.tsx";
import type { Against } from "./protocol.ts";
import { NumberField } from "./RunPart.tsx";
import type { Story } from "./story.ts";

const SOURCES: readonly (readonly [Against, string])[] = [
  ["sim-f64", "simulation, double precision"],
  ["sim-f32", "simulation, single precision"],
  ["reference", "integer reference"],
];
const MOST_RANDOM = 1000;

export function VerifyPart({ story }: { story: Story }) {
  const { state, choose, verify: start, abort } = story;
  const { verify, busy, choice, loaded, progress } = state;
  const recorded = choice.kind === "files" ? loaded?.recorded : null;
  const most = choice.kind === "files" ? (loaded?.samples ?? 1) : choice.kind === "random" ? MOST_RANDOM : 1;
  const sources = recorded ? [["recorded", `recording ${recorded.name}`] as const, ...SOURCES] : SOURCES;
  const panel = useMemo(() => verify && <VerifyPanel report={verify} />, [verify]);
  const working = busy === "verifying";
  return (
    <section class="part" id="verification" aria-labelledby="h-verify">
      <h2 id="h-verify">Verification</h2>
      <p class="row actions">
        <label>
          Against{" "}
          <select
            id="against"
            value={sources.some(([name]) => name === choice.against) ? choice.against : "sim-f64"}
            onChange={({ currentTarget }) => choose({ against: currentTarget.value as Against })}
          >
            {sources.map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <NumberField
          label="Samples"
          value={Math.min(choice.samples, most)}
          least={1}
          most={most}
          onChange={(samples) => choose({ samples })}
        />
        <button type="button" disabled={busy !== null || (choice.kind === "picture" && !choice.picture)} onClick={() => void start()}>
          Verify
        </button>
        {working && (
          <button type="button" onClick={abort}>
            Stop
          </button>
        )}
        {working && <progress aria-label="Verification" max={progress?.total ?? 1} value={progress?.done ?? 0} />}
      </p>
      {recorded && choice.against === "recorded" && (
        <p class="faint">
          {recorded.matched} of the recording's {recorded.names} names are values of the model.
        </p>
      )}
      {panel}
    </section>
  );
}
