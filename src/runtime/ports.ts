/** Ports: tensors into and out of a machine's memory, at the layout and storage the plan chose. */
import type { Encoding } from "../encodings/encoding.ts";
import { halfToFloat } from "../numerics/half.ts";
import type { Port, Storage } from "../plan/plan.ts";
import { forEachElement, isWide, layoutsCoincide } from "../plan/storage.ts";
import { type ElementType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Call, callsOf, type Machine, runCalls } from "./machine.ts";

type StoredCodes = Int8Array | Uint8Array | Uint16Array;

/** A port tied to a machine's memory as long as that does not grow. */
export interface Gate {
  readonly port: Port;
  readonly name: string; // of the value, as engines keep names of properties
  readonly size: number; // elements
  readonly codes: StoredCodes | null; // of an encoded value
  readonly floats: Float32Array | Float64Array | null; // plain elements, or the float twin of codes
  readonly convert: readonly Call[]; // between the two
  readonly flip: readonly Call[]; // between codes and stored codes, in place
  readonly plainType: ElementType; // of the tensor that leaves as floats
}

/** The gate of `port` in the memory as it is now. */
export function gateOf(machine: Machine, port: Port): Gate {
  const { buffer } = machine;
  const { address, floatAddress, storage, type } = port;
  const size = sizeOf(port.shape);
  const at = storage ? floatAddress : address;
  return {
    port,
    name: propertyName(port.value),
    size,
    codes: storage ? codesAt(buffer, storage, address, size) : null,
    floats: at < 0 ? null : new (isWide(type) ? Float64Array : Float32Array)(buffer, at, size),
    convert: callsOf(machine, port.convert),
    flip: callsOf(machine, port.flip),
    plainType: storage || type === "float16" ? "float32" : type,
  };
}

/** The same characters, interned: V8 takes half a microsecond to set a property whose name was cut out of a file. */
function propertyName(text: string): string {
  return Object.keys({ [text]: null })[0]!;
}

function codesAt(buffer: ArrayBuffer, storage: Storage, address: number, size: number): StoredCodes {
  if (storage.bytes === 2) return new Uint16Array(buffer, address, size);
  return storage.signed ? new Int8Array(buffer, address, size) : new Uint8Array(buffer, address, size);
}

/** Writes an input's elements. Returns whether gate.convert must run: float32 elements are quantized by the plan's own steps, codes are
 *  stored as they are. */
export function fillGate(gate: Gate, tensor: Tensor): boolean {
  const { codes, port } = gate;
  if (!codes || tensor.type !== port.encoding!.type) {
    storeNumbers(gate.floats!, tensor);
    return codes !== null;
  }
  codes.set(tensor.data as StoredCodes);
  runCalls(gate.flip);
  return false;
}

function storeNumbers(floats: Float32Array | Float64Array, { type, data }: Tensor): void {
  if (data instanceof Float32Array || data instanceof Float64Array) floats.set(data);
  else if (type === "float16") for (let i = 0; i < floats.length; i++) floats[i] = halfToFloat(data[i] as number);
  else for (let i = 0; i < floats.length; i++) floats[i] = Number(data[i]);
}

/** Element type of what leaves through the gate. */
export function typeLeaving(gate: Gate, quantized: boolean): ElementType {
  return quantized && gate.codes ? gate.port.encoding!.type : gate.plainType;
}

/** Encoding of what leaves through the gate. */
export function encodingLeaving(gate: Gate, quantized: boolean): Encoding | undefined {
  return quantized && gate.codes ? gate.port.encoding : undefined;
}

/** Reads elements, row-major, into `data`, an array of the type that leaves: integer codes of encoded values if `quantized`, else
 *  float32, dequantized by the plan's own steps. */
export function drainGate(gate: Gate, quantized: boolean, data: TypedArray): void {
  const { codes, floats, port } = gate;
  if (codes && quantized) {
    runCalls(gate.flip); // where they lie: a view of the other signedness would need a copy of them
    copyRowMajor(codes, port, data as Uint8Array);
    runCalls(gate.flip);
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    forEachElement(port.shape, port.layout, (rowMajor, memory) => {
      data[rowMajor] = BigInt(Math.trunc(floats![memory]!) % 2 ** 64 || 0); // of what is not finite: 0
    });
  } else {
    runCalls(gate.convert);
    if (codes) data.set(floats!);
    else copyRowMajor(floats!, port, data);
  }
}

function copyRowMajor(
  from: StoredCodes | Float32Array | Float64Array,
  { shape, layout }: Port,
  to: Exclude<TypedArray, BigInt64Array | BigUint64Array>,
): void {
  if (layout === "channelsLast" && !layoutsCoincide(shape)) {
    forEachElement(shape, layout, (rowMajor, memory) => {
      to[rowMajor] = from[memory]!;
    });
  } else to.set(from);
}

/** A new tensor of what leaves through the gate. */
export function tensorFrom(gate: Gate, quantized: boolean): Tensor {
  const type = typeLeaving(gate, quantized);
  const data = newArray(type, gate.size);
  drainGate(gate, quantized, data);
  return new Tensor(type, data, gate.port.shape, encodingLeaving(gate, quantized));
}
