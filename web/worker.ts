/** The page's worker: loads, inspects, runs, verifies and times, so that the page stays responsive. */

import { engineReport } from "../src/doctor/engine.ts";
import { doctor, type Feeds, loadModel, type Model, ModelError, Session, SessionError, Tensor, verify } from "../src/index.ts";
import { inspectModel } from "../src/inspect.ts";
import type { LoadedModel } from "../src/model.ts";
import { indexBounds } from "../src/passes/indexBounds.ts";
import { benchReport, groupsOf } from "../src/report/benchReport.ts";
import { recordedSamples, samplesOf } from "../src/samples/cut.ts";
import { randomSamples } from "../src/samples/random.ts";
import { profileSession } from "../src/session/profile.ts";
import { kindOf, sortArrays } from "./files.ts";
import { outputReport } from "./outputs.ts";
import type {
  Against,
  Calls,
  FromWorker,
  Inputs,
  Loaded,
  NamedBytes,
  PlainTensor,
  Problem,
  Progress,
  RunReport,
  ToWorker,
} from "./protocol.ts";

interface Current {
  readonly name: string;
  readonly model: Model;
  readonly samples: readonly Feeds[];
  readonly recordings: readonly Record<string, Tensor>[] | null;
  session: Session | null;
}

let current: Current | null = null;

function loaded(): Current {
  if (!current) throw new ModelError([{ code: "page/no-model", message: "no model is loaded; drop an .onnx file first" }]);
  return current;
}

async function load({ files }: { files: readonly NamedBytes[] }): Promise<Loaded> {
  const start = performance.now();
  const of = (kind: string): NamedBytes[] => files.filter(({ name }) => kindOf(name) === kind);
  const [file, ...others] = of("model");
  if (!file || others.length > 0) {
    const found = file ? `found ${others.length + 1} .onnx files, expected one` : "found no .onnx file";
    throw new ModelError([{ code: "page/files", message: `dropped files: ${found}. Drop one model with its encodings, data and inputs.` }]);
  }
  const [encodings] = of("encodings");
  const model = await loadModel(file.bytes, {
    ...(encodings ? { encodings: encodings.bytes } : {}),
    externalData: Object.fromEntries(of("data").map(({ name, bytes }) => [name, bytes])),
  });
  const { graph } = model;
  const { inputs, recording, notes } = sortArrays(files, model, (name) => graph.values.has(name));
  const samples = inputs.size > 0 ? samplesOf(model, inputs) : [];
  current?.session?.dispose();
  const recordings = recording && samples.length > 0 ? recordedSamples(recording.arrays, samples.length) : null;
  current = { name: file.name, model, samples, recordings, session: null };
  const names = recording ? [...recording.arrays.keys()] : [];
  return {
    name: file.name,
    inspect: await inspectModel(model),
    samples: samples.length,
    recorded:
      recordings && recording
        ? { name: recording.name, names: names.length, matched: names.filter((name) => graph.values.has(name)).length }
        : null,
    notes: [
      ...notes,
      ...(recording && !recordings ? [`${recording.name}: a recording needs the inputs it was made with; drop them too.`] : []),
    ],
    milliseconds: performance.now() - start,
  };
}

function feedsOf({ model, samples }: Current, inputs: Inputs): readonly Feeds[] {
  if (inputs.kind === "files") return samples.slice(inputs.begin, inputs.begin + inputs.count);
  if (inputs.kind === "given") {
    const tensors = Object.entries(inputs.feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)] as const);
    return [Object.fromEntries(tensors)];
  }
  return randomSamples(model, { seed: inputs.seed, samples: inputs.count, shapes: {}, bounds: indexBounds((model as LoadedModel).graph) });
}

async function sessionOf(state: Current): Promise<Session> {
  state.session ??= await Session.create(state.model);
  return state.session;
}

const plain = ({ type, data, dims }: Tensor): PlainTensor => ({ type, data: data as unknown as PlainTensor["data"], dims });

/** A run is repeated for at least this long: clocks of browsers are coarse. */
const RUN_MS = 20;

async function run({ inputs }: { inputs: Inputs }): Promise<RunReport> {
  const state = loaded();
  const session = await sessionOf(state);
  const feeds = feedsOf(state, inputs)[0] ?? {};
  let outputs = session.runSync(feeds);
  let runs = 0;
  let milliseconds = 0;
  for (const start = performance.now(); milliseconds < RUN_MS; milliseconds = performance.now() - start, runs++)
    outputs = session.runSync(feeds);
  return {
    milliseconds: milliseconds / runs,
    target: session.target,
    variant: session.variant,
    outputs: await Promise.all(Object.entries(outputs).map(([name, tensor]) => outputReport(name, plain(tensor)))),
    inputs: Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, plain(tensor)])),
  };
}

const PROGRESS_MS = 80;

async function check({ inputs, against }: { inputs: Inputs; against: Against }, tell: (progress: Progress) => void, signal: AbortSignal) {
  const state = loaded();
  const samples = feedsOf(state, inputs);
  const begin = inputs.kind === "files" ? inputs.begin : 0;
  const recorded = against === "recorded" ? (state.recordings ?? []).slice(begin, begin + samples.length) : null;
  let last = 0;
  return verify(state.model, samples, {
    against: recorded ?? (against as Exclude<Against, "recorded">),
    noise: true,
    signal,
    onProgress: (done, total, what) => {
      if (performance.now() - last < PROGRESS_MS) return;
      last = performance.now();
      tell({ done, total, what });
    },
  });
}

const BENCH_MS = 3000;
const MOST_RUNS = 25;

/** Times as many runs as fit into a few seconds, at least 5. Whole runs and step by step take about the same. */
async function bench({ inputs }: { inputs: Inputs }) {
  const state = loaded();
  const session = await sessionOf(state);
  const feeds = feedsOf(state, inputs)[0] ?? {};
  session.runSync(feeds);
  const start = performance.now();
  session.runSync(feeds);
  const runs = Math.max(5, Math.min(MOST_RUNS, Math.floor(BENCH_MS / 2 / (performance.now() - start + 0.01))));
  const profile = await profileSession(session, feeds, runs);
  const { variant, target } = session;
  const { name: engine, cpu } = await engineReport();
  const subject = { name: state.name, variant, target, engine, cpu: cpu ?? "unknown processor", runs };
  return benchReport(subject, profile, groupsOf(profile));
}

type Work = {
  [K in keyof Calls]: (ask: Calls[K]["ask"], tell: (progress: Progress) => void, signal: AbortSignal) => Promise<Calls[K]["answer"]>;
};

const work: Work = { load, run, verify: check, bench, doctor };
const running = new Map<number, AbortController>();

function problemsOf(error: unknown): Problem[] {
  if (error instanceof ModelError) return error.issues.map(({ code, message }) => ({ code, message }));
  if (error instanceof SessionError) return [{ code: error.code, message: error.message }];
  return [{ code: "page/internal", message: error instanceof Error ? error.message : String(error) }];
}

function send(message: FromWorker): void {
  postMessage(message);
}

addEventListener("message", async ({ data }: MessageEvent<ToWorker>) => {
  if ("abort" in data) {
    running.get(data.abort)?.abort();
    return;
  }
  const { id, call, ask } = data;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const answer = await (work[call] as Work["run"])(ask as never, (progress) => send({ id, progress }), controller.signal);
    send({ id, answer });
  } catch (error) {
    send({ id, problems: problemsOf(error) });
  } finally {
    running.delete(id);
  }
});
