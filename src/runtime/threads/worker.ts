/** The script of a thread: compiles the kernels it is sent, tests them, and runs the parts of steps that the first thread posts. */
import { nodeModule } from "../../io/source.ts";
import { type Kernel, moduleGeometry } from "../../kernels/instantiate.ts";
import { testFault } from "../../kernels/select.ts";
import { MOST_THREADS, PAGE_BYTES } from "../../kernels/sharedMemory.ts";
import type { Variant } from "../../kernels/variant.ts";
import { compileThreadModules, type ThreadModules } from "./kernels.ts";
import { type Mailboxes, serve } from "./mailbox.ts";

/** What the first thread sends once. */
export interface Assignment {
  readonly thread: number;
  readonly variant: Variant;
  readonly modules: ThreadModules;
  readonly memory: WebAssembly.Memory;
  readonly boxes: Mailboxes;
}

/** What it answers: null when it is ready, or why it cannot take part. */
export type Answer = { readonly fault: string | null };

/** A port of a worker thread of Node, or the global scope of one in a browser. */
interface Port {
  postMessage(message: Answer): void;
  onmessage?: unknown;
  once?(event: "message", listener: (message: Assignment) => void): void;
}

const TEST_PAGES = 64;

async function begin(port: Port, { thread, variant, modules, memory, boxes }: Assignment): Promise<void> {
  let kernels: readonly Kernel[];
  try {
    const compiled = await compileThreadModules(modules);
    const test = new WebAssembly.Memory({ initial: 4, maximum: TEST_PAGES, shared: true });
    const probed = compiled.on(test);
    const fault = await testFault(probed, moduleGeometry(probed, variant), test, MOST_THREADS * PAGE_BYTES);
    if (fault !== null) throw new Error(fault);
    kernels = compiled.list(compiled.on(memory));
  } catch (error) {
    port.postMessage({ fault: String((error as Error)?.message ?? error) });
    return;
  }
  port.postMessage({ fault: null });
  let known = 0;
  serve(boxes, thread, (kernel, args, first, end, pages) => {
    if (pages !== known) memory.grow(0); // this thread's view of a memory that another one has grown
    known = pages;
    kernels[kernel]!(args, first, end);
  });
}

async function listen(): Promise<void> {
  const scope = globalThis as unknown as Port & { readonly WorkerGlobalScope?: unknown };
  if (scope.WorkerGlobalScope === undefined) {
    const { parentPort } = await nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
    const port = parentPort as unknown as Port;
    port.once!("message", (assignment) => void begin(port, assignment));
  } else scope.onmessage = ({ data }: { readonly data: Assignment }) => void begin(scope, data);
}

void listen();
