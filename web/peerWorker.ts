/** The worker in which ONNX Runtime Web runs. */
import { outputReport } from "./outputs.ts";
import type { PeerAnswer, PeerRequest } from "./peer.ts";
import type { PeerReport, PlainTensor } from "./protocol.ts";

/** The parts of ONNX Runtime Web that are used. */
interface PeerTensor {
  readonly type: PlainTensor["type"];
  readonly data: PlainTensor["data"];
  readonly dims: readonly number[];
}
interface PeerModule {
  readonly env: {
    readonly wasm: { numThreads: number; wasmPaths: string };
    readonly versions: { readonly web?: string; readonly common: string };
  };
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => PeerTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: Record<string, PeerTensor>): Promise<Record<string, PeerTensor>> }>;
  };
}

const FILE = "ort.wasm.min.mjs";
const MOST_RUNS = 50;
const MEASURE_MS = 2000;
const WARM_UP_MS = 100;
/** A time is read over at least this long: clocks of browsers are coarse. */
const CLOCK_MS = 5;

async function moduleAt(folder: string): Promise<PeerModule> {
  try {
    return (await import(/* @vite-ignore */ `${folder}${FILE}`)) as PeerModule;
  } catch {
    throw new Error(
      `ONNX Runtime Web is not served beside this page. Put the files of its folder dist (at least ${FILE}, ort-wasm-simd-threaded.mjs and ort-wasm-simd-threaded.wasm) into ${folder}, then press the button again.`,
    );
  }
}

async function peerReport({ folder, model, data, inputs }: PeerRequest): Promise<PeerReport> {
  const ort = await moduleAt(folder);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = folder;
  const externalData = data.map(({ name, bytes }) => ({ path: name, data: bytes }));
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], ...(data.length > 0 ? { externalData } : {}) });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, data: of, dims }]) => [name, new ort.Tensor(type, of, dims)]),
  );
  let outputs = await session.run(feeds);
  const runFor = async (least: number): Promise<number> => {
    const start = performance.now();
    let runs = 0;
    do {
      outputs = await session.run(feeds);
      runs++;
    } while (performance.now() - start < least);
    return (performance.now() - start) / runs;
  };
  await runFor(WARM_UP_MS);
  const times: number[] = [];
  for (const end = performance.now() + MEASURE_MS; times.length < 3 || (times.length < MOST_RUNS && performance.now() < end); )
    times.push(await runFor(CLOCK_MS));
  times.sort((a, b) => a - b);
  return {
    version: ort.env.versions.web ?? ort.env.versions.common,
    medianMs: times[times.length >> 1]!,
    minMs: times[0]!,
    runs: times.length,
    outputs: await Promise.all(
      Object.entries(outputs).map(([name, { type, data: of, dims }]) => outputReport(name, { type, data: of, dims })),
    ),
  };
}

addEventListener("message", async ({ data }: MessageEvent<PeerRequest>) => {
  const send = (message: PeerAnswer): void => postMessage(message);
  try {
    send({ answer: await peerReport(data) });
  } catch (error) {
    send({ problem: error instanceof Error ? error.message : String(error) });
  }
});
