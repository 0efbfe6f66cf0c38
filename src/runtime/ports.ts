/** Ports: tensors into and out of a machine's memory, at the layout and storage the plan chose. */
import { gridOf } from "../encodings/encoding.ts";
import type { Port } from "../plan/plan.ts";
import { forEachElement } from "../plan/storage.ts";
import { type Tensor, tensorNumbers, tensorOf } from "../tensor/tensor.ts";
import { execute, type Machine } from "./machine.ts";

function sizeOf(port: Port): number {
  return port.shape.reduce((a, b) => a * b, 1);
}

function codesAt(machine: Machine, port: Port): Int8Array | Uint8Array | Uint16Array {
  const { storage, address } = port;
  const { buffer } = machine.memory;
  if (storage!.bytes === 2) return new Uint16Array(buffer, address, sizeOf(port));
  return storage!.signed ? new Int8Array(buffer, address, sizeOf(port)) : new Uint8Array(buffer, address, sizeOf(port));
}

/** Writes an input: float32 elements are quantized by the plan's own steps, codes are stored as they are. */
export function writeInput(machine: Machine, port: Port, tensor: Tensor): void {
  const { buffer } = machine.memory;
  if (!port.encoding) {
    new Float32Array(buffer, port.address, sizeOf(port)).set(tensorNumbers(tensor));
  } else if (tensor.type === port.encoding.type) {
    const codes = codesAt(machine, port);
    const { data } = tensor;
    const { shift } = port.storage!;
    for (let i = 0; i < codes.length; i++) codes[i] = Number(data[i]) + shift;
  } else {
    new Float32Array(buffer, port.floatAddress, sizeOf(port)).set(tensorNumbers(tensor));
    execute(machine, port.convert);
  }
}

/** Integer codes with their encoding, row-major; plain elements where the value has none. */
export function readCodes(machine: Machine, port: Port): Tensor {
  const { encoding, shape, layout } = port;
  if (!encoding) return readPlain(machine, port);
  const codes = codesAt(machine, port);
  const out = new Int32Array(codes.length);
  const { shift } = port.storage!;
  forEachElement(shape, layout, (rowMajor, memory) => {
    out[rowMajor] = codes[memory]! - shift;
  });
  return tensorOf(encoding.type, out, shape, encoding);
}

/** float32 elements; encoded values are dequantized by the plan's own steps. */
export function readFloats(machine: Machine, port: Port): Tensor {
  if (!port.encoding) return readPlain(machine, port);
  execute(machine, port.convert);
  return tensorOf("float32", new Float32Array(machine.memory.buffer, port.floatAddress, sizeOf(port)), port.shape);
}

function readPlain(machine: Machine, port: Port): Tensor {
  const data = new Float32Array(machine.memory.buffer, port.address, sizeOf(port));
  const out = new Float32Array(data.length);
  forEachElement(port.shape, port.layout, (rowMajor, memory) => {
    out[rowMajor] = data[memory]!;
  });
  return tensorOf(port.type === "float16" ? "float32" : port.type, out, port.shape);
}

/** Whether a tensor of this type may be fed to the port. */
export function accepts(port: { readonly encoding?: Port["encoding"]; readonly type: Port["type"] }, tensor: Tensor): boolean {
  if (port.encoding) return tensor.type === "float32" || tensor.type === port.encoding.type;
  return tensor.type === port.type;
}

/** Whether every code lies on the encoding's grid (sub-byte codes travel in whole bytes). */
export function codesFit(tensor: Tensor): boolean {
  const { qmin, qmax } = gridOf(tensor.type);
  return (tensor.data as Int8Array).every((code) => code >= qmin && code <= qmax);
}
