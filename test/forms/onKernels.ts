/** Runs one formed layer on every kernel module this engine compiles, its inputs lying row-major or channels last. */
import { existsSync, readFileSync } from "node:fs";
import type { Codes } from "../../src/forms/form.ts";
import { shapeOf, valueNamed } from "../../src/graph/graph.ts";
import { isActivationEncoding } from "../../src/graph/query.ts";
import { moduleGeometry } from "../../src/kernels/instantiate.ts";
import { selfTestFault } from "../../src/kernels/select.ts";
import { PlanBuilder } from "../../src/plan/builder.ts";
import type { Layout, Port, Step, Target, Variant } from "../../src/plan/plan.ts";
import { forEachElement, isWide } from "../../src/plan/storage.ts";
import { transposeFields } from "../../src/plan/transpose.ts";
import { createWeightStore } from "../../src/plan/weightStore.ts";
import { activate, createMachine, execute, type Machine } from "../../src/runtime/machine.ts";
import type { Formed } from "./smallGraph.ts";

interface Engine {
  readonly variant: Variant;
  readonly module: WebAssembly.Module;
}

const FOLDER = process.env.BITEXACT_KERNELS ?? "build/kernels";

/** The variants whose dot products this engine computes right. */
async function engines(): Promise<Engine[]> {
  const found: Engine[] = [];
  for (const variant of ["simd", "usdot", "sdot"] as const) {
    const path = `${FOLDER}/${variant}.wasm`;
    if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build:kernels`);
    const bytes = readFileSync(path);
    const module = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
    const fault = module ? await selfTestFault(module, variant) : "the engine has no relaxed SIMD";
    if (module && fault === null) found.push({ variant, module });
    else console.log(`forms: ${variant} skipped, ${fault}`);
  }
  return found;
}

export const ENGINES: readonly Engine[] = await engines();

export interface Run {
  readonly outputs: number[][]; // codes, or float32 elements
  readonly steps: readonly Step[];
}

/** Outputs of the layer as the kernels compute them, row-major. */
export function runLayer(set: Formed, inputs: Codes, engine: Engine, target: Target = "exact", layout: Layout = "rowMajor"): Run {
  const { graph, layer, form, data } = set;
  const machine = createMachine(engine.module);
  const store = createWeightStore();
  const builder = new PlanBuilder(graph, target, moduleGeometry(machine.kernels, engine.variant), store);
  for (const id of layer.inputs) {
    builder.addInput(id, null);
    const shape = shapeOf(graph, id);
    if (layout === "channelsLast" && shape.length > 2) {
      const encoding = isActivationEncoding(valueNamed(graph, id)) ? valueNamed(graph, id).encoding : undefined;
      const from = builder.input(id, "rowMajor");
      const to = builder.output(id, "channelsLast");
      const { fields, units } = transposeFields(
        builder,
        shape,
        encoding ? builder.storage(encoding).bytes : isWide(valueNamed(graph, id).type) ? 8 : 4,
        from,
        "rowMajor",
        to,
        "channelsLast",
      );
      builder.emit("copy_strided", fields, units, "layout");
    }
  }
  form.lower(data, layer, builder);
  const plan = builder.finish(layer.outputs, [], () => null);
  activate(machine, plan, store);
  for (const port of plan.inputs)
    elements(machine, port).set(Array.from(inputs.get(port.value)!.data, (q) => (port.storage ? q + port.storage.shift : q)));
  execute(machine, plan.steps);
  const outputs = plan.outputs.map((port) => {
    const found = elements(machine, port);
    const out = new Array<number>(found.length);
    forEachElement(port.shape, port.layout, (rowMajor, memory) => {
      out[rowMajor] = port.storage ? found[memory]! - port.storage.shift : found[memory]!;
    });
    return out;
  });
  return { outputs, steps: plan.steps.filter((step) => step.node !== "layout") };
}

function elements(machine: Machine, port: Port): Float32Array | Float64Array | Uint16Array | Int8Array | Uint8Array {
  const size = port.shape.reduce((a, b) => a * b, 1);
  const { buffer } = machine.memory;
  if (!port.storage) return new (isWide(port.type) ? Float64Array : Float32Array)(buffer, port.address, size);
  if (port.storage.bytes === 2) return new Uint16Array(buffer, port.address, size);
  return port.storage.signed ? new Int8Array(buffer, port.address, size) : new Uint8Array(buffer, port.address, size);
}
