/** Choosing inputs, running once, and what came out. */
import { useEffect, useRef } from "preact/hooks";
import { milliseconds } from "../src/report/SpeedPanel.tsx";
import { Scroll } from "../src/report/table.tsx";
import { drawTensor, pictureShape } from "./image.ts";
import { PicturePart } from "./PicturePart.tsx";
import type { OutputReport, RunReport } from "./protocol.ts";
import type { Choice, Story } from "./story.ts";

function Kind({ story, kind, label, disabled }: { story: Story; kind: Choice["kind"]; label: string; disabled?: boolean }) {
  return (
    <label class="check">
      <input
        type="radio"
        name="kind"
        value={kind}
        disabled={disabled ?? false}
        checked={story.state.choice.kind === kind}
        onChange={() => story.choose({ kind })}
      />{" "}
      {label}
    </label>
  );
}

/** A whole number between bounds. */
export function NumberField({
  label,
  value,
  least,
  most,
  onChange,
}: {
  label: string;
  value: number;
  least: number;
  most: number;
  onChange: (value: number) => void;
}) {
  return (
    <label>
      {label}{" "}
      <input
        type="number"
        min={least}
        max={most}
        step={1}
        value={value}
        onInput={({ currentTarget }) => {
          const wanted = currentTarget.valueAsNumber;
          if (Number.isInteger(wanted) && wanted >= least && wanted <= most) onChange(wanted);
        }}
        onChange={({ currentTarget }) => {
          const wanted = Math.round(currentTarget.valueAsNumber);
          const given = Number.isFinite(wanted) ? Math.min(most, Math.max(least, wanted)) : least;
          currentTarget.value = String(given);
          onChange(given);
        }}
      />
    </label>
  );
}

function InputChoice({ story }: { story: Story }) {
  const { state, choose } = story;
  const { loaded, choice } = state;
  const samples = loaded?.samples ?? 0;
  const shape = loaded?.inspect.inputs.length === 1 ? pictureShape(loaded.inspect.inputs[0]) : null;
  return (
    <fieldset>
      <legend>Input</legend>
      <Kind
        story={story}
        kind="files"
        label={samples > 0 ? `from the files (${samples})` : "from files: none dropped"}
        disabled={samples === 0}
      />
      <Kind story={story} kind="random" label="random" />
      <Kind story={story} kind="picture" label={shape ? "picture or camera" : "picture: the input is none"} disabled={!shape} />
      <div class="row">
        {choice.kind === "files" && (
          <NumberField label="Sample" value={choice.index} least={0} most={samples - 1} onChange={(index) => choose({ index })} />
        )}
        {choice.kind === "random" && (
          <NumberField label="Seed" value={choice.seed} least={0} most={2 ** 32 - 1} onChange={(seed) => choose({ seed })} />
        )}
      </div>
      {choice.kind === "picture" && shape && <PicturePart story={story} shape={shape} />}
    </fieldset>
  );
}

const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(6));

function Output({ output }: { output: OutputReport }) {
  const { name, type, dims, min, max, first, top, sha256 } = output;
  return (
    <tbody data-output={name}>
      <tr>
        <th scope="row">
          <span class="name">{name}</span>
        </th>
        <td>
          {type} [{dims.join(" × ")}]
        </td>
        <td class="figure">{figure(min)}</td>
        <td class="figure">{figure(max)}</td>
      </tr>
      <tr>
        <td colSpan={4}>
          {top.length > 0 ? (
            <>
              largest:{" "}
              {top.map(({ index, value }, i) => (
                <span key={index} class={i === 0 ? "best" : ""}>
                  {`${i > 0 ? ", " : ""}${index} (${figure(value)})`}
                </span>
              ))}
            </>
          ) : (
            `first: ${first.map(figure).join(", ")}${dims.reduce((a, b) => a * b, 1) > first.length ? ", …" : ""}`
          )}
          {sha256 && (
            <small class="block">
              SHA-256 <code>{sha256.slice(0, 16)}</code>
            </small>
          )}
        </td>
      </tr>
    </tbody>
  );
}

/** What was fed, when it is a picture. */
function Preview({ story, run }: { story: Story; run: RunReport }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const port = story.state.loaded?.inspect.inputs[0];
  const shape = pictureShape(port);
  const tensor = port ? run.inputs[port.name] : undefined;
  useEffect(() => {
    if (canvas.current && shape && tensor) drawTensor(canvas.current, tensor, shape);
  });
  return shape && tensor ? <canvas ref={canvas} class="preview" role="img" aria-label="The input as a picture" /> : null;
}

export function RunPart({ story }: { story: Story }) {
  const { state, run: start } = story;
  const { run, busy, choice } = state;
  return (
    <section class="part" id="run" aria-labelledby="h-run">
      <h2 id="h-run">Run</h2>
      <div class="columns">
        <div>
          <InputChoice story={story} />
          <p class="actions">
            <button type="button" disabled={busy !== null || (choice.kind === "picture" && !choice.picture)} onClick={() => void start()}>
              Run
            </button>
          </p>
        </div>
        {run && (
          <div class="outcome" data-run="">
            <Preview story={story} run={run} />
            <div>
              <p class="headline">
                <b>{milliseconds(run.milliseconds)} ms</b> this run, kernels {run.variant}, target {run.target}
              </p>
              <Scroll label="Outputs">
                <table class="outputs">
                  <thead>
                    <tr>
                      <th scope="col">output</th>
                      <th scope="col">shape</th>
                      <th scope="col" class="figure">
                        least
                      </th>
                      <th scope="col" class="figure">
                        most
                      </th>
                    </tr>
                  </thead>
                  {run.outputs.map((output) => (
                    <Output key={output.name} output={output} />
                  ))}
                </table>
              </Scroll>
            </div>
          </div>
        )}
      </div>
    </section>
  );
}
