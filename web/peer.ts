/** ONNX Runtime Web beside the page: fetched when it is asked for, run in a worker of its own, asked again never. */
import { kindOf } from "./files.ts";
import type { NamedBytes, PeerReport, PlainTensor, Problem } from "./protocol.ts";

/** Where its files lie if they are served with the page. */
export const PEER_FOLDER = "ort/";

export interface PeerRequest {
  readonly folder: string; // address
  readonly model: Uint8Array<ArrayBuffer>;
  readonly data: readonly NamedBytes[];
  readonly inputs: Readonly<Record<string, PlainTensor>>;
}

export type PeerAnswer = { readonly answer: PeerReport } | { readonly problem: string };

/** Runs the model file on the same inputs. Rejects with a Failure, for instance when ONNX Runtime Web is not there. */
export async function runPeer(
  files: readonly NamedBytes[],
  inputs: Readonly<Record<string, PlainTensor>>,
  signal: AbortSignal,
): Promise<PeerReport> {
  const folder = new URL(PEER_FOLDER, document.baseURI).href;
  const model = files.find(({ name }) => kindOf(name) === "model")!.bytes;
  const data = files.filter(({ name }) => kindOf(name) === "data");
  const worker = new Worker(new URL("./peerWorker.ts", import.meta.url), { type: "module" });
  const failure = (code: string, message: string): { problems: Problem[] } => ({ problems: [{ code, message }] });
  try {
    return await new Promise<PeerReport>((resolve, reject) => {
      worker.addEventListener("message", ({ data: message }: MessageEvent<PeerAnswer>) =>
        "answer" in message ? resolve(message.answer) : reject(failure("page/peer", message.problem)),
      );
      worker.addEventListener("error", ({ message }) => reject(failure("page/peer", `ONNX Runtime Web: ${message}`)));
      signal.addEventListener("abort", () => reject(failure("session/aborted", "aborted")));
      worker.postMessage({ folder, model, data, inputs } satisfies PeerRequest);
    });
  } finally {
    worker.terminate();
  }
}
