/** Running the float kernels in tests: arrays of either precision, the operators' own float evaluation as oracle. */
import type { Attr } from "../../src/graph/graph.ts";
import type { createPcg32 } from "../../src/numerics/pcg32.ts";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers, Precision } from "../../src/ops/op.ts";
import type { KernelName, Machine } from "./elementwiseMachine.ts";

export type Random = ReturnType<typeof createPcg32>;
export type Floats = Float32Array | Float64Array;

export const TYPES: readonly Precision[] = ["f32", "f64"];
export const SPECIALS = [
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  1,
  -1,
  0.5,
  1e-45,
  -1e-40,
  88.8,
  -104,
  710,
  -746,
  1e30,
  -1e30,
  2.5,
  3.5,
  -2.5,
  3,
  -3,
];

export function arrayOf(type: Precision, data: ArrayLike<number>): Floats {
  return type === "f32" ? Float32Array.from(data) : Float64Array.from(data);
}

export function read(machine: Machine, type: Precision, address: number, count: number): Floats {
  return type === "f32"
    ? new Float32Array(machine.bytes(address, 4 * count).buffer)
    : new Float64Array(machine.bytes(address, 8 * count).buffer);
}

export function outputOf(machine: Machine, type: Precision, count: number): number {
  return machine.output(count * (type === "f32" ? 4 : 8));
}

export function kernelOf(name: string, type: Precision): KernelName {
  return `${name}_${type}` as KernelName;
}

/** op.float of the ONNX operator `op`, newest opset. */
export function operator(op: string, attrs: Record<string, Attr>, inputs: readonly (Numbers | null)[], type: Precision): Floats {
  const definition = opOf({ op, domain: "" });
  if (!definition) throw new Error(`no operator ${op}`);
  return (definition.float(inputs, definition.parse(new Map(Object.entries(attrs)), 24), type)[0] as Numbers).data;
}

export function uniform(random: Random, type: Precision, count: number, lo = -4, hi = 4): Floats {
  return arrayOf(
    type,
    Array.from({ length: count }, () => random.uniform(lo, hi)),
  );
}
