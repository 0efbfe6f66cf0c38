/** From a header to memory: kernels, the image and the plan of one variant. */
import { perTensor } from "../encodings/encoding.ts";
import { type ModelError, modelError, SessionError } from "../errors.ts";
import type { Kernel } from "../kernels/instantiate.ts";
import { buildOf } from "../kernels/moduleBuild.ts";
import type { Plan, Port, Step } from "../plan/plan.ts";
import { storageOf } from "../plan/storage.ts";
import { compileKernels, kernelsFor, type Shared } from "../runtime/kernelSource.ts";
import type { Machine } from "../runtime/machine.ts";
import type { BexBytes } from "./bytes.ts";
import { checksumOn } from "./checksum.ts";
import { type BexHeader, type BexPlan, type BexPort, type FlatSteps, PREAMBLE_BYTES, STEP_NUMBERS } from "./format.ts";
import { altered } from "./header.ts";

/** Kernel modules of a plan, checked to be those it was made for. */
export interface PlanModules {
  readonly signed: boolean;
  readonly modules: readonly WebAssembly.Module[]; // the variant's last
}

const shared = new Map<string, Promise<WebAssembly.Module>>();

/** Kernels are chosen by known-answer tests as in every session. throws ModelError "session/variant", "bex/kernels". */
export async function modulesOf({ variant, modules }: BexPlan): Promise<PlanModules> {
  const others = Object.keys(modules).filter((name) => name !== variant);
  const loading = others.map((name) => sharedModule(name as Shared));
  const { module, geometry } = await kernelsFor(variant);
  const all = [...(await Promise.all(loading)), module];
  for (const [i, name] of [...others, variant].entries()) {
    if (buildOf(all[i]!) === modules[name]) continue;
    const message = `compiled model: it was made for another build of the kernels '${name}'; compile it with this version of bitexact`;
    throw modelError("bex/kernels", message);
  }
  return { signed: geometry.signed, modules: all };
}

function sharedModule(name: Shared): Promise<WebAssembly.Module> {
  const module = shared.get(name) ?? compileKernels(name);
  shared.set(name, module);
  module.catch(() => shared.delete(name));
  return module;
}

const PAGE = 65536;

/** A machine with memory for the plan. throws SessionError "session/out-of-memory". */
export function machineFor({ arena: [address, bytes] }: BexPlan, { modules }: PlanModules): Machine {
  const need = address + bytes;
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: Math.ceil(need / PAGE) });
  } catch {
    throw new SessionError("session/out-of-memory", `the plan needs ${need} bytes of memory, which the engine refused`);
  }
  const kernels: Record<string, Kernel> = {};
  for (const module of modules)
    for (const [name, value] of Object.entries(new WebAssembly.Instance(module, { env: { memory } }).exports))
      if (typeof value === "function") kernels[name] = stopped(value as Kernel);
  return { memory, kernels, buffer: memory.buffer, current: null, aside: new WeakMap() };
}

/** The kernel; what it throws when the plan's args lead out of memory is ModelError "bex/trap", in whatever way it is run. */
function stopped(kernel: Kernel): Kernel {
  return (args, begin, end) => {
    try {
      kernel(args, begin, end);
    } catch (error) {
      throw modelError("bex/trap", `compiled model: a kernel was stopped (${(error as Error).message}); compile the model again`);
    }
  };
}

/** Reads the plan's image to its place and checks it there. throws ModelError "bex/truncated", "bex/altered". */
export async function placeImage(
  bytes: BexBytes,
  header: BexHeader,
  plan: BexPlan,
  headerBytes: number,
  { memory }: Machine,
): Promise<void> {
  const starts: number[] = [];
  let start = PREAMBLE_BYTES + headerBytes;
  for (const [length] of header.sections) {
    starts.push(start);
    start += length;
  }
  const checksum = checksumOn(memory);
  for (const [section, address] of [...plan.image].sort(([a], [b]) => a - b)) {
    const [length, expected] = header.sections[section]!;
    await bytes.read(new Uint8Array(memory.buffer, address, length), starts[section]!);
    if (checksum(address, length) !== expected) throw altered(`section ${section}`);
  }
}

/** The plan whose bytes lie in memory. */
export function planOf({ target }: BexHeader, plan: BexPlan, signed: boolean): Plan {
  const steps = (flat: FlatSteps): Step[] => {
    const list: Step[] = [];
    for (let i = 0; i < flat.length; i += STEP_NUMBERS)
      list.push({ kernel: plan.kernels[flat[i]!]!, args: flat[i + 1]!, units: flat[i + 2]!, node: plan.nodes[flat[i + 3]!]! });
    return list;
  };
  const ports = (list: readonly BexPort[]): Port[] => list.map((port) => portOf(port, signed, steps));
  const [address, bytes] = plan.arena;
  return {
    ...{ variant: plan.variant, target, steps: steps(plan.steps), weights: [], proofs: [] },
    constants: { address: plan.constants, bytes: new Uint8Array(0) },
    arena: { address, bytes },
    inputs: ports(plan.inputs),
    outputs: ports(plan.outputs),
    captures: ports(plan.captures),
  };
}

function portOf({ encoding, float, convert, flip, ...port }: BexPort, signed: boolean, steps: (flat: FlatSteps) => Step[]): Port {
  const grid = encoding && perTensor(encoding.type, encoding.scale, encoding.zeroPoint);
  return {
    ...port,
    ...(grid ? { encoding: grid, storage: storageOf(grid, signed) } : {}),
    floatAddress: float,
    convert: steps(convert),
    flip: steps(flip),
  };
}

/** throws ModelError "bex/kernels" for a kernel that the modules do not have. */
export function checkKernels({ kernels }: Machine, plan: BexPlan): void {
  const missing = plan.kernels.filter((name) => !(Object.hasOwn(kernels, name) && typeof kernels[name] === "function"));
  if (missing.length > 0) throw unknownKernels(missing);
}

function unknownKernels(names: readonly string[]): ModelError {
  return modelError(
    "bex/kernels",
    `compiled model: no kernel ${names.join(", ")} in its modules; compile it with this version of bitexact`,
  );
}
