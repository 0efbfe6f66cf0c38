/** The kernel modules of threads: loaded beside the package, edited for shared memory and a scratch page each, compiled. */
import { readSource } from "../../io/source.ts";
import type { Kernel, Kernels } from "../../kernels/instantiate.ts";
import { type PagePlaces, threadModule } from "../../kernels/sharedMemory.ts";
import type { ModuleGeometry } from "../../kernels/variant.ts";
import { kernelBytes } from "../kernelSource.ts";

/** Bytes of the modules of one thread; the variant's last, as its exports win. */
export type ThreadModules = readonly Uint8Array<ArrayBuffer>[];

export interface CompiledKernels {
  /** All kernels, and the geometry, on `memory`. */
  on(memory: WebAssembly.Memory): Kernels;
  /** The kernels in the order of their numbers, the same in every thread. */
  list(kernels: Kernels): Kernel[];
  readonly numbers: ReadonlyMap<string, number>;
}

/** Makes the modules of each thread. throws Error when a file cannot be read, ModelError "session/threads" when files do not belong together. */
export async function loadThreadModules({ variant, signed }: ModuleGeometry): Promise<(thread: number) => ThreadModules> {
  const names = ["float", signed ? "rest-signed" : "rest-unsigned", variant] as const;
  const [pages, ...bytes] = await Promise.all([loadPages(), ...names.map((name) => kernelBytes(name))]);
  return (thread) => names.map((name, i) => threadModule(bytes[i]!, pages[name]!, thread));
}

async function loadPages(): Promise<Readonly<Record<string, PagePlaces>>> {
  const bytes = await readSource(new URL("../../../build/kernels/pages.json", import.meta.url));
  return JSON.parse(new TextDecoder().decode(bytes));
}

export async function compileThreadModules(modules: ThreadModules): Promise<CompiledKernels> {
  const compiled = await Promise.all(modules.map((bytes) => WebAssembly.compile(bytes)));
  const names = compiled.flatMap((module) =>
    WebAssembly.Module.exports(module).flatMap(({ kind, name }) => (kind === "function" ? [name] : [])),
  );
  const ordered = [...new Set(names)].sort();
  return {
    on: (memory) => Object.assign({}, ...compiled.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports)),
    list: (kernels) => ordered.map((name) => kernels[name]!),
    numbers: new Map(ordered.map((name, i) => [name, i])),
  };
}
