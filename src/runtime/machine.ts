/** Machine: one kernel instance with its memory, and the plan whose constants lie in it. Makes no decisions. */
import { SessionError } from "../errors.ts";
import { instantiateKernels, type Kernel, type Kernels } from "../kernels/instantiate.ts";
import { notLoaded } from "../plan/notLoaded.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { NO_BYTES, type WeightStore } from "../plan/weightStore.ts";
import type { Kept } from "./kept.ts";
import { withinMemory } from "./outOfMemory.ts";

const PAGE = 65536;
const MAX_PAGES = 65536;
const GROWTH = 16 * PAGE;

/** The threads of a session; src/runtime/threads makes them. */
export interface Crew {
  readonly threads: number; // that work: 1 when there are no others, or no more
  readonly reason: string | null; // why there are fewer than were asked for
  readonly machine: Machine | null; // on shared memory; null when there are no other threads
  readonly weightBase: number; // first address behind the threads' scratch pages
  /** The plan with its larger steps in parts. */
  split(plan: Plan): Plan;
  dispose(): void;
}

export interface Machine {
  /** A kernel whose call runs the parts of `step` on threads. */
  readonly shared?: (step: Step, kernel: Kernel) => Kernel;
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  buffer: ArrayBuffer; // that of `memory`; another one once it has grown
  current: Plan | null;
  kept?: Kept; // bytes above all arenas that outlive runs
  readonly aside: WeakMap<Plan, Uint8Array>; // constants of plans that had to make room for another
}

/** A step with its kernel looked up. */
export interface Call {
  readonly kernel: Kernel;
  readonly args: number;
  readonly units: number;
}

export function createMachine(module: WebAssembly.Module): Machine {
  const memory = withinMemory(() => new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES }));
  const kernels = instantiateKernels(module, memory);
  return { memory, kernels, buffer: memory.buffer, current: null, aside: new WeakMap() };
}

/** Grows the memory to `bytes`, and what is kept above. throws SessionError "session/out-of-memory" naming what was needed. */
export function reserve(machine: Machine, bytes: number): void {
  const { kept } = machine;
  if (kept) {
    const address = Math.max(kept.address, Math.ceil(bytes / 64) * 64);
    growTo(machine, address + kept.bytes);
    if (address !== kept.address) new Uint8Array(machine.buffer).copyWithin(address, kept.address, kept.address + kept.bytes);
    kept.address = address;
  } else growTo(machine, bytes);
}

function growTo(machine: Machine, bytes: number): void {
  const { memory } = machine;
  const missing = Math.ceil(bytes / PAGE) - memory.buffer.byteLength / PAGE;
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch {
    const have = memory.buffer.byteLength;
    throw new SessionError("session/out-of-memory", `the plan needs ${bytes} bytes of memory, the engine gave ${have}; use smaller shapes`);
  }
  machine.buffer = memory.buffer;
}

/** Memory while weights are packed: grown in large steps, as far as it goes. */
export function growFor(machine: Machine, end: number): ArrayBuffer {
  if (end > machine.buffer.byteLength) reserve(machine, Math.max(end, Math.min(end + GROWTH, MAX_PAGES * PAGE)));
  return machine.buffer;
}

/** Writes made weights to their place, unless they were packed there. */
export function placeWeights(machine: Machine, address: number, bytes: Uint8Array): void {
  if (bytes.buffer === machine.buffer) return;
  new Uint8Array(growFor(machine, address + bytes.length)).set(bytes, address);
}

/** Puts the plan's constants, and the weights not there yet, into memory. The store lets go of its copy of what is written; the constants
 *  that lay there are set aside. */
export function activate(machine: Machine, plan: Plan, store: WeightStore): void {
  const { current, aside } = machine;
  if (current === plan) return;
  reserve(machine, plan.arena.address + plan.arena.bytes);
  const bytes = new Uint8Array(machine.buffer);
  if (current && !aside.has(current)) aside.set(current, bytes.slice(current.constants.address, current.arena.address));
  for (const [key, entry] of store.entries) {
    if (entry.bytes.length === 0) continue;
    bytes.set(entry.bytes, entry.address);
    store.entries.set(key, { address: entry.address, bytes: NO_BYTES });
  }
  bytes.set(aside.get(plan) ?? plan.constants.bytes, plan.constants.address);
  if (plan.partArgs) bytes.set(plan.partArgs.bytes, plan.partArgs.address);
  machine.current = plan;
}

/** The plan that is active, without the bytes that lie in memory now: what a session keeps of it. */
export function settle(machine: Machine, { constants, ...plan }: Plan): Plan {
  const settled: Plan = { ...plan, weights: [], constants: { address: constants.address, bytes: new Uint8Array(0) } };
  machine.current = settled;
  return settled;
}

/** Steps as calls on this machine. throws ModelError "plan/not-loaded" when the machine was made before a kernel they need was loaded. */
export function callsOf({ kernels, shared }: Machine, steps: readonly Step[]): Call[] {
  return steps.map((step) => {
    const kernel = kernels[step.kernel] ?? notLoaded();
    return { kernel: step.parts ? shared!(step, kernel) : kernel, args: step.args, units: step.units };
  });
}

/** Runs calls in order. */
export function runCalls(calls: readonly Call[]): void {
  for (const call of calls) call.kernel(call.args, 0, call.units);
}

/** Runs steps in order, once. */
export function execute(machine: Machine, steps: readonly Step[]): void {
  runCalls(callsOf(machine, steps));
}
