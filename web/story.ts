/** The page's state: what was dropped, what is going on, what came out; and the actions that change it. */
import { useMemo, useState } from "preact/hooks";
import type { DoctorReport } from "../src/doctor/report.ts";
import type { BenchReport } from "../src/report/benchReport.ts";
import type { VerifyReport } from "../src/verify/report.ts";
import { type Client, createClient, type Failure } from "./client.ts";
import { kindOf, mergeFiles } from "./files.ts";
import { runPeer } from "./peer.ts";
import type { Against, Inputs, Loaded, NamedBytes, PeerReport, PlainTensor, Problem, Progress, RunReport } from "./protocol.ts";
import { sampleFiles } from "./sample.ts";

export type Busy = "loading" | "running" | "verifying" | "measuring" | "comparing";

/** Where inputs come from, as chosen on the page. */
export interface Choice {
  readonly kind: "files" | "random" | "picture";
  readonly index: number; // of the sample to run
  readonly seed: number;
  readonly samples: number; // to verify
  readonly against: Against;
  readonly picture: PlainTensor | null;
}

export interface State {
  readonly files: readonly NamedBytes[];
  readonly pictures: readonly File[]; // dropped, newest last
  readonly busy: Busy | null;
  readonly progress: Progress | null;
  readonly problems: readonly Problem[];
  readonly finished: Busy | null; // what was finished last
  readonly loaded: Loaded | null;
  readonly choice: Choice;
  readonly run: RunReport | null;
  readonly verify: VerifyReport | null;
  readonly bench: BenchReport | null;
  readonly peer: PeerReport | null;
  readonly doctor: DoctorReport | null;
}

const CHOICE: Choice = { kind: "random", index: 0, seed: 1, samples: 4, against: "sim-f64", picture: null };
/** Samples verified unless more are asked for. */
const SAMPLES = 16;
const NOTHING = { run: null, verify: null, bench: null, peer: null } as const;
const INITIAL: State = {
  ...{ files: [], pictures: [], busy: null, progress: null, problems: [], finished: null, loaded: null, choice: CHOICE, doctor: null },
  ...NOTHING,
};

export interface Story {
  readonly state: State;
  readonly choose: (choice: Partial<Choice>) => void;
  readonly drop: (files: readonly File[]) => Promise<void>;
  readonly sample: () => Promise<void>;
  readonly run: () => Promise<void>;
  readonly verify: () => Promise<void>;
  readonly bench: () => Promise<void>;
  readonly comparePeer: () => Promise<void>;
  readonly abort: () => void;
}

/** What the chosen inputs are for a run (`count` 1) or for a verification. */
function inputsOf({ kind, index, seed, picture }: Choice, name: string, count: number): Inputs {
  if (kind === "picture" && picture) return { kind: "given", feeds: { [name]: picture } };
  return kind === "files" ? { kind: "files", begin: count === 1 ? index : 0, count } : { kind: "random", seed, count };
}

function failureOf(error: unknown): readonly Problem[] {
  const { problems } = error as Partial<Failure>;
  return problems ?? [{ code: "page/internal", message: error instanceof Error ? error.message : String(error) }];
}

const PROGRESS_OF: Readonly<Record<Busy, string>> = {
  loading: "loading and inspecting",
  running: "running",
  verifying: "verifying",
  measuring: "measuring",
  comparing: "running ONNX Runtime Web",
};

/** What is going on, in words. */
export function statusOf({ busy, progress, loaded, finished }: State): string {
  if (busy === "verifying" && progress) return `verifying: layer ${progress.done} of ${progress.total}, ${progress.what}`;
  if (busy) return `${PROGRESS_OF[busy]} …`;
  if (!loaded) return "nothing is loaded yet";
  return finished && finished !== "loading"
    ? `finished ${PROGRESS_OF[finished]}`
    : `${loaded.name} loaded in ${loaded.milliseconds.toFixed(0)} ms`;
}

/** The actions on a state that `show` is told of. One task runs at a time; a new one waits for nothing and is refused while another runs. */
function createStory(show: (state: State) => void): Omit<Story, "state"> {
  let state = INITIAL;
  let lost = false;
  let aborter = new AbortController();
  const patch = (change: Partial<State>): void => {
    state = { ...state, ...change };
    show(state);
  };
  const client: Client = createClient(() => {
    lost = true;
  });
  const options = () => ({ onProgress: (progress: Progress) => patch({ progress }), signal: aborter.signal });
  const load = async (): Promise<Loaded> => {
    lost = false;
    return client.call("load", { files: state.files }, options());
  };
  /** The doctor tests every variant, which takes a while: in a worker of its own. */
  const examine = async (): Promise<void> => {
    const examiner = createClient(() => {});
    patch({ doctor: await examiner.call("doctor", {}).catch(() => null) });
    examiner.close();
  };
  const task = async (busy: Busy, work: () => Promise<Partial<State>>): Promise<boolean> => {
    if (state.busy) return false;
    aborter = new AbortController();
    patch({ busy, progress: null, problems: [] });
    try {
      if (lost && busy !== "loading") await load();
      patch({ ...(await work()), busy: null, finished: busy });
      return true;
    } catch (error) {
      patch({ busy: null, problems: failureOf(error) });
      return false;
    }
  };
  const ask = (count: number): { inputs: Inputs } => ({
    inputs: inputsOf(state.choice, state.loaded?.inspect.inputs[0]?.name ?? "", count),
  });

  const open = (files: readonly File[]): Promise<boolean> =>
    task("loading", async () => {
      const bytes = await Promise.all(
        files
          .filter(({ name }) => kindOf(name) !== "image")
          .map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
      );
      const pictures = [...state.pictures, ...files.filter(({ name }) => kindOf(name) === "image")];
      if (bytes.length === 0) return { pictures };
      patch({ files: mergeFiles(state.files, bytes), pictures, loaded: null, ...NOTHING });
      const loaded = await load();
      if (!state.doctor) void examine();
      const kind = loaded.samples > 0 ? ("files" as const) : ("random" as const);
      const against = loaded.recorded ? ("recorded" as const) : ("sim-f64" as const);
      const choice = { ...CHOICE, kind, against, samples: Math.min(loaded.samples || CHOICE.samples, SAMPLES) };
      return { loaded, choice };
    });
  const run = () => task("running", async () => ({ run: await client.call("run", ask(1), options()) }));
  const verify = () =>
    task("verifying", async () => {
      const { against, samples } = state.choice;
      return { verify: await client.call("verify", { ...ask(samples), against }, options()) };
    });
  const bench = () => task("measuring", async () => ({ bench: await client.call("bench", ask(1), options()) }));

  return {
    choose: (choice) => patch({ choice: { ...state.choice, ...choice } }),
    drop: async (files) => void (await open(files)),
    sample: async () => {
      const files = await sampleFiles().catch((error) => patch({ problems: failureOf(error) }));
      if (files && (await open(files)) && (await run()) && (await verify())) await bench();
    },
    run: async () => void (await run()),
    verify: async () => void (await verify()),
    bench: async () => void (await bench()),
    comparePeer: async () =>
      void (await task("comparing", async () => {
        const done = await client.call("run", ask(1), options());
        return { run: done, peer: await runPeer(state.files, done.inputs, aborter.signal) };
      })),
    abort: () => aborter.abort(),
  };
}

/** The story of this page. */
export function useStory(): Story {
  const [state, show] = useState<State>(INITIAL);
  const actions = useMemo(() => createStory(show), []);
  return { ...actions, state };
}
