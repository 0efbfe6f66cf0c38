/** Bundles the script of threads into build/; see thread-worker.mjs. */
export function buildThreadWorker(root: string): Promise<void>;
