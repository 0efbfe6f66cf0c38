/** Before any test: the script of threads, which Node 20 cannot run from sources. */
import { resolve } from "node:path";
import { buildThreadWorker } from "../scripts/thread-worker.mjs";

export async function setup(): Promise<void> {
  await buildThreadWorker(resolve(import.meta.dirname, ".."));
}
