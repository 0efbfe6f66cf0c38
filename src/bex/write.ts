/** Writing compiled models: plans and what lies in memory before their first run → the bytes of a .bex file. */
import type { Plan, Port, Step, Target } from "../plan/plan.ts";
import { checksumOf } from "./checksum.ts";
import { type BexHeader, type BexPlan, type BexPort, FORMAT_VERSION, MAGIC, PREAMBLE, PREAMBLE_BYTES, wholeBlocks } from "./format.ts";

/** A plan whose weights and constants hold their bytes, and the builds of the kernel modules it needs. */
export interface CompiledPlan {
  readonly plan: Plan;
  readonly modules: Readonly<Record<string, string>>;
}

export interface CompiledFacts {
  readonly producer: string;
  readonly name: string;
  readonly target: Target;
  readonly bounds: Readonly<Record<string, number>>;
}

interface Block {
  readonly address: number;
  readonly bytes: Uint8Array; // whole blocks of 64
}

interface Section {
  readonly bytes: Uint8Array;
  readonly checksum: string;
}

/** The file. Bytes that lie alike in the memory of several variants are in it once. */
export function writeBex(facts: CompiledFacts, compiled: readonly CompiledPlan[]): Uint8Array {
  const blocks = compiled.map(({ plan }) => blocksOf(plan));
  const sections: Section[] = [];
  const images = imagesOf(blocks, sections);
  const header: BexHeader = {
    ...facts,
    sections: sections.map(({ bytes, checksum }) => [bytes.length, checksum] as const),
    plans: compiled.map(({ plan, modules }, i) => planRecord(plan, modules, images[i]!)),
  };
  return assembled(header, sections);
}

/** What lies below the arena when a plan runs for the first time, by address. */
function blocksOf({ weights, constants }: Plan): Block[] {
  return [...weights, constants]
    .filter(({ bytes }) => bytes.length > 0)
    .map(({ address, bytes }) => {
      const whole = new Uint8Array(wholeBlocks(bytes.length));
      whole.set(bytes);
      return { address, bytes: whole };
    })
    .sort((a, b) => a.address - b.address);
}

type Image = readonly (readonly [section: number, address: number])[];

/** Each plan's image as sections: blocks that several plans have are sections of their own, what lies between them is one. */
function imagesOf(plans: readonly (readonly Block[])[], sections: Section[]): Image[] {
  const keys = plans.map((blocks) => blocks.map(({ bytes }) => `${bytes.length} ${checksumOf(bytes)}`));
  const users = new Map<string, number>();
  for (const list of keys) for (const key of new Set(list)) users.set(key, (users.get(key) ?? 0) + 1);
  const known = new Map<string, number>();
  const add = (bytes: Uint8Array): number => {
    const checksum = checksumOf(bytes);
    const key = `${bytes.length} ${checksum}`;
    const at = known.get(key);
    if (at !== undefined && same(sections[at]!.bytes, bytes)) return at;
    sections.push({ bytes, checksum });
    known.set(key, sections.length - 1);
    return sections.length - 1;
  };
  return plans.map((blocks, i) =>
    runsOf(blocks, (block) => (users.get(keys[i]![block]!) ?? 0) > 1).map((run) => [add(joined(run)), run[0]!.address] as const),
  );
}

/** Blocks that are shared alone, neighbours that are not together. */
function runsOf(blocks: readonly Block[], shared: (index: number) => boolean): Block[][] {
  const runs: Block[][] = [];
  for (const [i, block] of blocks.entries()) {
    const last = i > 0 && !shared(i) && !shared(i - 1) ? runs.at(-1)!.at(-1)! : null;
    if (last && last.address + last.bytes.length === block.address) runs.at(-1)!.push(block);
    else runs.push([block]);
  }
  return runs;
}

function joined(run: readonly Block[]): Uint8Array {
  const bytes = new Uint8Array(run.reduce((sum, block) => sum + block.bytes.length, 0));
  for (const block of run) bytes.set(block.bytes, block.address - run[0]!.address);
  return bytes;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function planRecord(plan: Plan, modules: Readonly<Record<string, string>>, image: Image): BexPlan {
  const kernels = names();
  const nodes = names();
  const flat = (steps: readonly Step[]): number[] =>
    steps.flatMap(({ kernel, args, units, node }) => [kernels.index(kernel), args, units, nodes.index(node)]);
  const ports = (list: readonly Port[]): BexPort[] => list.map((port) => portRecord(port, flat));
  const steps = flat(plan.steps);
  const [inputs, outputs, captures] = [ports(plan.inputs), ports(plan.outputs), ports(plan.captures)];
  return {
    variant: plan.variant,
    modules,
    image,
    constants: plan.constants.address,
    arena: [plan.arena.address, plan.arena.bytes],
    kernels: kernels.list,
    nodes: nodes.list,
    ...{ steps, inputs, outputs, captures },
  };
}

function portRecord(
  { value, type, shape, encoding, layout, address, floatAddress, convert, flip }: Port,
  flat: (steps: readonly Step[]) => number[],
): BexPort {
  return {
    ...{ value, type, shape, layout, address },
    ...(encoding ? { encoding: { type: encoding.type, scale: encoding.scale[0]!, zeroPoint: encoding.zeroPoint[0]! } } : {}),
    float: floatAddress,
    convert: flat(convert),
    flip: flat(flip),
  };
}

/** A list of names without doubles. */
function names(): { readonly list: string[]; index(name: string): number } {
  const list: string[] = [];
  const known = new Map<string, number>();
  const index = (name: string): number => {
    const at = known.get(name) ?? list.push(name) - 1;
    known.set(name, at);
    return at;
  };
  return { list, index };
}

function assembled(header: BexHeader, sections: readonly Section[]): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const json = new Uint8Array(wholeBlocks(text.length)).fill(0x20);
  json.set(text);
  const file = new Uint8Array(PREAMBLE_BYTES + json.length + sections.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const view = new DataView(file.buffer);
  for (let i = 0; i < MAGIC.length; i++) file[i] = MAGIC.charCodeAt(i);
  view.setUint32(PREAMBLE.version, FORMAT_VERSION, true);
  view.setUint32(PREAMBLE.headerBytes, json.length, true);
  view.setUint32(PREAMBLE.fileBytes, file.length, true);
  view.setUint32(PREAMBLE.fileBytes + 4, Math.floor(file.length / 2 ** 32), true);
  view.setBigUint64(PREAMBLE.checksum, BigInt(`0x${checksumOf(json)}`), true);
  file.set(json, PREAMBLE_BYTES);
  let at = PREAMBLE_BYTES + json.length;
  for (const { bytes } of sections) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
