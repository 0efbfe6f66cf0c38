/** The page: one model's story from its files to the speed of its layers. */
import { useMemo } from "preact/hooks";
import { DoctorPanel } from "../src/report/DoctorPanel.tsx";
import { InspectPanel } from "../src/report/InspectPanel.tsx";
import { SqnrPanel } from "../src/report/SqnrPanel.tsx";
import { FilesPart } from "./FilesPart.tsx";
import { RunPart } from "./RunPart.tsx";
import { SaveButton } from "./SaveButton.tsx";
import { SpeedPart } from "./SpeedPart.tsx";
import { type State, statusOf, useStory } from "./story.ts";
import { VerifyPart } from "./VerifyPart.tsx";

/** For tests and scripts: idle, what is going on, failed, or ready; done once something was run. */
function stateName({ busy, problems, loaded, finished }: State): string {
  if (busy) return busy;
  if (problems.length > 0) return "failed";
  return loaded ? (finished === "loading" ? "ready" : "done") : "idle";
}

function Problems({ problems }: Pick<State, "problems">) {
  return (
    <div role="alert">
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map(({ code, message }) => (
            <li key={message}>
              <code>{code}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Everything the page found, as data. */
function Result({ state }: { state: State }) {
  const { loaded, run, verify, bench, peer, doctor } = state;
  const outputs = run && { ...run, inputs: undefined };
  return (
    <script type="application/json" id="result">
      {JSON.stringify({ inspect: loaded?.inspect ?? null, run: outputs, verify, bench, peer, doctor })}
    </script>
  );
}

export function Page() {
  const story = useStory();
  const { state } = story;
  const { loaded, verify, doctor } = state;
  const inspection = useMemo(() => loaded && <InspectPanel report={loaded.inspect} />, [loaded]);
  const noise = useMemo(() => verify?.layers.some((layer) => layer.noise) && <SqnrPanel report={verify} />, [verify]);
  return (
    <>
      <header class="top">
        <h1>BitExact</h1>
        <p class="lead">
          Quantized networks in integers, in this browser, checked layer by layer against the simulation. Nothing you drop here leaves this
          page.
        </p>
      </header>
      <main data-state={stateName(state)}>
        <FilesPart story={story} />
        <p class="status" role="status" aria-live="polite">
          {statusOf(state)}
        </p>
        <Problems problems={state.problems} />
        {loaded && (
          <>
            <section class="part" id="inspection" aria-labelledby="h-model">
              <h2 id="h-model">{loaded.name}</h2>
              {inspection}
              {loaded.notes.map((note) => (
                <p class="faint" key={note}>
                  {note}
                </p>
              ))}
            </section>
            <RunPart story={story} />
            <VerifyPart story={story} />
            {noise && (
              <section class="part" id="noise" aria-labelledby="h-noise">
                <h2 id="h-noise">Noise of quantization</h2>
                {noise}
              </section>
            )}
            <SpeedPart story={story} />
            <section class="part" id="environment" aria-labelledby="h-environment">
              <h2 id="h-environment">Environment</h2>
              {doctor && <DoctorPanel report={doctor} />}
              <SaveButton state={state} />
            </section>
          </>
        )}
        <Result state={state} />
      </main>
    </>
  );
}
