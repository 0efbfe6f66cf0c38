/** A graph compiled for one kernel module, its inputs written and its epilogues proven: what the suites time without a session around it. */

import type { Graph } from "../src/graph/graph.ts";
import { instantiateKernels, moduleGeometry } from "../src/kernels/instantiate.ts";
import { type Prepared, prepare } from "../src/passes/prepare.ts";
import type { ModuleGeometry } from "../src/plan/lowering.ts";
import type { Plan, Step, Target, Variant } from "../src/plan/plan.ts";
import { createWeightStore, type WeightStore } from "../src/plan/weightStore.ts";
import { activate, createMachine, execute, type Machine } from "../src/runtime/machine.ts";
import { readCodes, writeInput } from "../src/runtime/portCodes.ts";
import { compile } from "../src/session/compile.ts";
import { promote } from "../src/session/promote.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

export interface Engine {
  readonly variant: Variant;
  readonly module: WebAssembly.Module;
  readonly geometry: ModuleGeometry;
}

export function engineOf(module: WebAssembly.Module, variant: Variant): Engine {
  const kernels = instantiateKernels(module, new WebAssembly.Memory({ initial: 1 }));
  return { variant, module, geometry: moduleGeometry(kernels, variant) };
}

/** A kernel instance and the weights packed for it: several shapes of one graph share them. */
export interface Home {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly store: WeightStore;
}

export function openHome(engine: Engine): Home {
  return { engine, machine: createMachine(engine.module), store: createWeightStore() };
}

export interface Compiled {
  readonly prepared: Prepared;
  readonly plan: Plan;
  readonly machine: Machine;
}

/** Compiles at the given shapes, writes the feeds and proves every epilogue, as a session has done some runs later. throws ModelError. */
export function compileAt(home: Home, graph: Graph, feeds: Readonly<Record<string, Tensor>>, target: Target): Compiled {
  const shapes = Object.fromEntries(Object.entries(feeds).map(([id, { dims }]) => [id, dims]));
  const prepared = prepare(graph, shapes);
  const plan = compile(prepared, { target, module: home.engine.geometry, store: home.store });
  activate(home.machine, plan, home.store);
  for (const port of plan.inputs) writeInput(home.machine, port, feeds[port.value]!);
  for (const _ of promote(plan, () => home.machine));
  return { prepared, plan, machine: home.machine };
}

/** The steps of node `node` (all without one), as one call. */
export function runner({ plan, machine }: Compiled, node?: string): () => void {
  const steps: readonly Step[] = node === undefined ? plan.steps : plan.steps.filter((step) => step.node === node);
  if (steps.length === 0) throw new Error(`no step serves ${node}; steps: ${plan.steps.map((step) => step.node).join(", ")}`);
  return () => execute(machine, steps);
}

/** Codes of the first output after one run of the whole plan, row-major. */
export function outputCodes({ plan, machine }: Compiled): ArrayLike<number> {
  execute(machine, plan.steps);
  return readCodes(machine, plan.outputs[0]!).data as ArrayLike<number>;
}
