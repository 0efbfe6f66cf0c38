/** Codes of a port written and read beside runs, for verification and tests. */
import type { Port } from "../plan/plan.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Machine, runCalls } from "./machine.ts";
import { fillGate, gateOf, tensorFrom } from "./ports.ts";

/** Writes an input, once. */
export function writeInput(machine: Machine, port: Port, tensor: Tensor): void {
  const gate = gateOf(machine, port);
  if (fillGate(gate, tensor)) runCalls(gate.convert);
}

/** Integer codes with their encoding, row-major; plain elements where the value has none. Once. */
export function readCodes(machine: Machine, port: Port): Tensor {
  return tensorFrom(gateOf(machine, port), true);
}
