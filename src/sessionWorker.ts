/** The script of a session worker, in a browser's worker or a thread of Node. */
import { isNode, nodeModule } from "./io/source.ts";
import type { Request } from "./worker/messages.ts";
import { createServer } from "./worker/serve.ts";

if (isNode()) {
  void nodeModule<typeof import("node:worker_threads")>("node:worker_threads").then(({ parentPort }) => {
    const serve = createServer((reply, transfer = []) => parentPort!.postMessage(reply, transfer));
    parentPort!.on("message", (request: Request) => serve(request));
  });
} else {
  const serve = createServer((reply, transfer = []) => postMessage(reply, { transfer }));
  addEventListener("message", ({ data }: MessageEvent<Request>) => serve(data));
}
