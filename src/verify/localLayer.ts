/** A layer compiled alone, with the session's own kernels and variant, fed with codes. */

import type { Graph, ValueId } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import type { FormedLayer } from "../passes/prepare.ts";
import type { Plan, Target } from "../plan/plan.ts";
import { createWeightStore, type WeightStore } from "../plan/weightStore.ts";
import { activate, createMachine, execute, type Machine } from "../runtime/machine.ts";
import { readCodes, writeInput } from "../runtime/portCodes.ts";
import { compile } from "../session/compile.ts";
import { promote } from "../session/promote.ts";
import type { EngineChoice } from "../session/session.ts";
import { tensorNumbers, tensorOf } from "../tensor/numbers.ts";

export interface LocalLayer {
  readonly formed: FormedLayer;
  readonly plan: Plan;
  readonly machine: Machine;
  readonly store: WeightStore;
}

/** Compiles one layer of a prepared graph as a graph of its own. */
export function compileLayer(graph: Graph, formed: FormedLayer, engine: EngineChoice, target: Target): LocalLayer {
  const { layer } = formed;
  const alone: Graph = { ...graph, nodes: layer.nodes, inputs: layer.inputs, outputs: layer.outputs };
  const store = createWeightStore();
  const plan = compile({ graph: alone, layers: [formed] }, { target, module: engine.geometry, store });
  const machine = createMachine(engine.module);
  activate(machine, plan, store);
  return { formed, plan, machine, store };
}

/** Switches to the epilogues that a session proves after its first run; every: to all that can be proven. */
export function promoteLayer({ plan, machine }: LocalLayer, every = false): void {
  for (const _ of promote(plan, () => machine, every));
}

/** The layer's outputs (codes where encoded) for the given inputs. */
export function runLayer(local: LocalLayer, inputs: ReadonlyMap<ValueId, Numbers>): Numbers[] {
  const { machine, plan } = local;
  for (const port of plan.inputs) {
    const { data, dims } = inputs.get(port.value)!;
    writeInput(machine, port, tensorOf(port.encoding?.type ?? port.type, data, dims, port.encoding));
  }
  execute(machine, plan.steps);
  return plan.outputs.map((port) => {
    const tensor = readCodes(machine, port);
    return { dims: port.shape, data: tensor.encoding ? Float64Array.from(tensor.data as Int8Array) : tensorNumbers(tensor) };
  });
}
