/** Where files are dropped or picked, and the button for the bundled sample. */
import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes } from "../src/cli/table.ts";
import { kindOf } from "./files.ts";
import type { Story } from "./story.ts";

const WORDS = { model: "model", encodings: "encodings", arrays: "arrays", image: "picture", data: "external data" } as const;

/** Files dropped anywhere on the page. Returns whether some are held above it. */
function useDrop(drop: Story["drop"]): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const held = (event: DragEvent): void => {
      event.preventDefault();
      setOver(true);
    };
    addEventListener("dragover", held, { signal });
    addEventListener("dragleave", (event) => event.relatedTarget === null && setOver(false), { signal });
    addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        setOver(false);
        const files = Array.from(event.dataTransfer?.files ?? []);
        if (files.length > 0) void drop(files);
      },
      { signal },
    );
    return () => controller.abort();
  }, [drop]);
  return over;
}

export function FilesPart({ story }: { story: Story }) {
  const { drop, sample, state } = story;
  const picker = useRef<HTMLInputElement>(null);
  const over = useDrop(drop);
  const busy = state.busy !== null;
  return (
    <section class={`drop${over ? " over" : ""}${state.files.length > 0 ? " filled" : ""}`} id="files" aria-label="Files">
      <div>
        <p class="big">
          Drop a model here, with its encodings and inputs{" "}
          <span class="faint">(.onnx, .encodings, external data, .npz, .npy, pictures)</span>
        </p>
        <p class="actions">
          <button type="button" class="primary" disabled={busy} onClick={() => void sample()}>
            Try the sample
          </button>
          <button type="button" disabled={busy} onClick={() => picker.current?.click()}>
            Choose files …
          </button>
          <input
            ref={picker}
            type="file"
            multiple
            class="away"
            id="picker"
            tabIndex={-1}
            aria-label="Model, encodings, inputs"
            onChange={({ currentTarget }) => {
              const files = Array.from(currentTarget.files ?? []);
              currentTarget.value = "";
              if (files.length > 0) void drop(files);
            }}
          />
          <small>The sample: a convolutional network with 8-bit weights and activations, and 397 handwritten digits.</small>
        </p>
      </div>
      {state.files.length > 0 && (
        <ul class="files" aria-label="Files in use">
          {state.files.map(({ name, bytes }) => (
            <li key={name}>
              <span class="name">{name}</span>{" "}
              <small>
                {WORDS[kindOf(name)]}, {formatBytes(bytes.length)}
              </small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
