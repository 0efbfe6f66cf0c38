/** Split: shares the steps of a plan out to threads. Decides once, from the args; what comes out is data again. */
import { KERNELS } from "../../kernels/abi.ts";
import type { ModuleGeometry } from "../../kernels/variant.ts";
import type { Part, Plan, Port, Step } from "../../plan/plan.ts";
import { productWork, type StepArgs, type Work, workOf } from "./work.ts";

/** When a step is worth sharing out, in nanoseconds. */
export interface Worth {
  readonly handover: number; // what handing out a step and waiting for all costs
  readonly least: number; // work of one part
}

const WORTH: Worth = { handover: 700, least: 1500 };
const ALIGN = 64;
/** What kernels may read behind a buffer. */
const SLACK = 64;

/** Fields that one part's copy of the args has otherwise. */
type Changes = Readonly<Record<string, number>>;

/** The plan with its larger steps in parts for `threads` threads. Args of parts and each further thread's scratch lie behind the arena, inside its
 *  `bytes`. Results do not depend on it: kernels compute each unit alike, whoever calls them. */
export function splitPlan(plan: Plan, geometry: ModuleGeometry, threads: number, worth = WORTH): Plan {
  const base = Math.ceil((plan.arena.address + plan.arena.bytes) / ALIGN) * ALIGN;
  const drafts = new Map<Step, Draft>();
  const reader = readerOf(plan);
  const ports = [...plan.inputs, ...plan.outputs, ...plan.captures];
  for (const step of [...plan.steps, ...ports.flatMap(({ convert, flip }) => [...convert, ...flip])]) {
    const draft = draftOf(reader(step), geometry, threads, worth);
    if (draft) drafts.set(step, draft);
  }
  const scratch = Math.max(
    0,
    ...[...drafts.values()].map(({ work }) => (work.scratch ? Math.ceil((work.scratch.bytes + SLACK) / ALIGN) * ALIGN : 0)),
  );
  const area = base + scratch * (threads - 1);
  const args: number[] = [];
  const parts = new Map<Step, readonly Part[]>();
  for (const [step, draft] of drafts)
    parts.set(step, placed(step, draft, reader(step), { area, args, scratchOf: (thread) => base + scratch * (thread - 1) }));
  const withParts = (step: Step): Step => (parts.has(step) ? { ...step, parts: parts.get(step)! } : step);
  const portWithParts = (port: Port): Port => ({ ...port, convert: port.convert.map(withParts), flip: port.flip.map(withParts) });
  const bytes = new Uint8Array(Int32Array.from(args).buffer);
  return {
    ...plan,
    steps: plan.steps.map(withParts),
    inputs: plan.inputs.map(portWithParts),
    outputs: plan.outputs.map(portWithParts),
    captures: plan.captures.map(portWithParts),
    arena: { address: plan.arena.address, bytes: area + bytes.length + SLACK - plan.arena.address },
    partArgs: { address: area, bytes },
  };
}

interface Draft {
  readonly work: Work;
  readonly shares: readonly { readonly begin: number; readonly end: number }[];
  readonly changes: Changes;
}

/** How a step is shared out; null where that would gain nothing. */
function draftOf(step: StepArgs, geometry: ModuleGeometry, threads: number, worth: Worth): Draft | null {
  if (step.kernel === "igemm_q8") return productDraft(step, geometry, threads, worth);
  const work = workOf(step, geometry);
  if (!work) return null;
  const parts = Math.min(threads, Math.floor(work.ns / worth.least), step.units);
  if (parts < 2 || work.ns - work.ns / parts < worth.handover) return null;
  const shares = sharesOf(step.units, parts, work.align ?? 1);
  return shares.length < 2 ? null : { work, shares, changes: {} };
}

function productDraft(step: StepArgs, geometry: ModuleGeometry, threads: number, worth: Worth): Draft | null {
  const { alone, best } = productWork(step, geometry, threads);
  if (best.parts < 2 || alone - best.ns < worth.handover) return null;
  const [m, panels] = [step.field("m"), Math.ceil(step.field("n") / 8)];
  const blocks = Math.ceil(m / best.mBlock);
  const shares = blocks > 1 ? sharesOf(blocks * panels, best.parts, panels) : sharesOf(panels, best.parts, 1);
  return { work: best, shares, changes: { mBlock: best.mBlock } };
}

/** [0, units) in `parts` runs as even as multiples of `align` allow. */
function sharesOf(units: number, parts: number, align: number): { begin: number; end: number }[] {
  const groups = Math.ceil(units / align);
  const edge = (part: number): number => Math.min(units, Math.round((groups * part) / parts) * align);
  return Array.from({ length: parts }, (_, part) => ({ begin: edge(part), end: edge(part + 1) })).filter(({ begin, end }) => begin < end);
}

interface Room {
  readonly area: number; // address of the copies
  readonly args: number[]; // words of the copies so far
  readonly scratchOf: (thread: number) => number; // thread > 0
}

/** Parts with their own args where they differ from the step's. */
function placed({ args: own }: Step, { work, shares, changes }: Draft, step: StepArgs, { area, args, scratchOf }: Room): Part[] {
  const differs = Object.entries(changes).some(([name, value]) => step.field(name) !== value);
  return shares.map(({ begin, end }, thread) => {
    if (!differs && (thread === 0 || !work.scratch)) return { args: own, begin, end };
    const address = area + 4 * args.length;
    for (const name of KERNELS[step.kernel]!) {
      const moved = thread > 0 && work.scratch?.field === name;
      args.push(moved ? scratchOf(thread) : (changes[name] ?? step.field(name)));
    }
    return { args: address, begin, end };
  });
}

/** Args and descriptors of steps, as the plan's constants hold them. */
function readerOf({ constants }: Plan): (step: Step) => StepArgs {
  const view = new DataView(constants.bytes.buffer, constants.bytes.byteOffset, constants.bytes.byteLength);
  const word = (address: number, index: number): number => view.getInt32(address - constants.address + 4 * index, true);
  return ({ kernel, args, units }) => ({ kernel, units, word, field: (name) => word(args, KERNELS[kernel]!.indexOf(name)) });
}
