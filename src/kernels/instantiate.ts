/** Compiled kernel modules + memory → callable kernels. */
import { assert } from "../errors.ts";
import type { ModuleGeometry, Variant } from "./variant.ts";

/** args: absolute address of the args block; units [begin, end). */
export type Kernel = (args: number, begin: number, end: number) => void;

/** Kernels by name, as the module exports them. */
export type Kernels = Readonly<Record<string, Kernel>>;

export type ModuleGlobals = Readonly<Record<"MR" | "NR" | "KR" | "Q8_SIGNED" | "WEIGHT_MIN", number>>;

/** Kernels beyond those of the variants: the same for all of them, or for all that store activations with one signedness. */
export interface MoreKernels {
  readonly float: WebAssembly.Module;
  readonly signed: WebAssembly.Module;
  readonly unsigned: WebAssembly.Module;
}

let more: MoreKernels | null = null;

/** More kernels for all instances made from now on; only to be called by src/full.ts. */
export function useMoreKernels(modules: MoreKernels): void {
  more = modules;
}

/** The kernels of `module`, and the others if they are loaded, on `memory`, whose bytes below address 1024 are theirs.
 *  Synchronous: the modules are compiled already. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const imports = { env: { memory } };
  const exportsOf = (part: WebAssembly.Module): WebAssembly.Exports => new WebAssembly.Instance(part, imports).exports;
  const exports = exportsOf(module);
  if (!more) return exports as unknown as Kernels;
  const { signed, unsigned, float } = more;
  const rest = moduleGlobals(exports as unknown as Kernels).Q8_SIGNED ? signed : unsigned;
  return { ...exportsOf(float), ...exportsOf(rest), ...exports } as unknown as Kernels;
}

/** The geometry constants that the module exports beside its kernels. */
export function moduleGlobals(kernels: Kernels): ModuleGlobals {
  const exports = kernels as unknown as WebAssembly.Exports;
  const read = (name: string): number => {
    const value = exports[name];
    assert(value instanceof WebAssembly.Global, `kernel module exports no constant ${name}`);
    return value.value as number;
  };
  return { MR: read("MR"), NR: read("NR"), KR: read("KR"), Q8_SIGNED: read("Q8_SIGNED"), WEIGHT_MIN: read("WEIGHT_MIN") };
}

/** The tile of `kernels`, a module of `variant`. */
export function moduleGeometry(kernels: Kernels, variant: Variant): ModuleGeometry {
  const globals = moduleGlobals(kernels);
  return {
    variant,
    signed: globals.Q8_SIGNED === 1,
    mr: globals.MR,
    nr: globals.NR,
    kr: globals.KR,
    weightMin: globals.WEIGHT_MIN === -127 ? -127 : -128,
  };
}
