/** Measuring, layer by layer, and the same inputs in ONNX Runtime Web. */
import { useMemo } from "preact/hooks";
import { milliseconds, SpeedPanel } from "../src/report/SpeedPanel.tsx";
import { Bar } from "../src/report/table.tsx";
import type { PeerReport } from "./protocol.ts";
import type { State, Story } from "./story.ts";

function Beside({ state, peer }: { state: State; peer: PeerReport }) {
  const own = state.bench?.rows[0];
  const most = Math.max(own?.medianMs ?? 0, peer.medianMs);
  const rows = [
    ...(own ? [{ name: `BitExact, ${own.variant}, integers`, median: own.medianMs, least: own.minMs }] : []),
    { name: `ONNX Runtime Web ${peer.version}, the file as it is`, median: peer.medianMs, least: peer.minMs },
  ];
  const [first] = state.run?.outputs.map(({ top }) => top[0]) ?? [];
  const [theirs] = peer.outputs.map(({ top }) => top[0]);
  return (
    <div data-peer={peer.medianMs}>
      <table>
        <caption>Side by side, one thread, the same input</caption>
        <thead>
          <tr>
            <th scope="col">runtime</th>
            <th scope="col" class="figure">
              median, ms
            </th>
            <th scope="col" class="figure">
              least, ms
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, median, least }) => (
            <tr key={name}>
              <th scope="row">
                {name}
                <Bar share={median / most} />
              </th>
              <td class="figure">{milliseconds(median)}</td>
              <td class="figure">{milliseconds(least)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="faint">
        ONNX Runtime Web does not read .encodings: a model that carries no quantize operators runs in float32 there.
        {own && ` BitExact takes ${(own.medianMs / peer.medianMs).toFixed(2)} of its time.`}
        {first && theirs && ` Largest output: ${first.index} here, ${theirs.index} there.`}
      </p>
    </div>
  );
}

export function SpeedPart({ story }: { story: Story }) {
  const { state, bench: start, comparePeer } = story;
  const { bench, busy, peer, choice } = state;
  const panel = useMemo(() => bench && <SpeedPanel report={bench} />, [bench]);
  const blocked = busy !== null || (choice.kind === "picture" && !choice.picture);
  return (
    <section class="part" id="speed" aria-labelledby="h-speed">
      <h2 id="h-speed">Speed</h2>
      <p class="row actions">
        <button type="button" disabled={blocked} onClick={() => void start()}>
          Measure
        </button>
        <button type="button" disabled={blocked} onClick={() => void comparePeer()}>
          Compare with ONNX Runtime Web
        </button>
      </p>
      {peer && <Beside state={state} peer={peer} />}
      {panel}
    </section>
  );
}
