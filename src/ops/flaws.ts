/** What checks of the core's operators say when they refuse: loaded with the first model that one of them refuses. */
import type { Attr } from "../graph/graph.ts";
import type { ElementType } from "../tensor/dtype.ts";
import { formatShape, MAX_EXTENT } from "../tensor/shape.ts";
import { attributeError, isTensor } from "./attributes.ts";
import { shapeError, typeError } from "./checks.ts";
import type { TypeInfo } from "./op.ts";

type Dims = readonly number[];

export function emptyKernelFlaw(kernel: Dims): Error {
  return shapeError(`the weight has an empty kernel [${kernel.join(", ")}]`);
}

export function kernelShapeFlaw(stated: Dims, kernel: Dims): Error {
  return shapeError(`kernel_shape [${stated.join(", ")}] differs from the weight's [${kernel.join(", ")}]`);
}

export function channelsFlaw(found: number, group: number, perGroup: number): Error {
  return shapeError(`the input has ${found} channels, expected ${perGroup * group} (${group} groups of the weight's ${perGroup})`);
}

export function outChannelsFlaw(channels: number, group: number): Error {
  return shapeError(`${channels} output channels are not divisible by ${group} groups`);
}

export function groupFlaw(group: number): Error {
  return shapeError(`attribute 'group' is ${group}, expected at least 1`);
}

export function innerFlaw(a: Dims, b: Dims, k: number, kb: number): Error {
  return shapeError(`shapes ${formatShape(a)} and ${formatShape(b)} do not multiply: the inner extents are ${k} and ${kb}`);
}

export function leadingFlaw(a: Dims, b: Dims): Error {
  return shapeError(`the leading axes of ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
}

export function addendFlaw(c: Dims, out: Dims): Error {
  return shapeError(`input 2 has shape ${formatShape(c)}, expected one that broadcasts to ${formatShape(out)}`);
}

export function copiedAxisFlaw(wanted: Dims, axis: number, dims: Dims): Error {
  return shapeError(`the shape ${formatShape(wanted)} copies axis ${axis}, which ${formatShape(dims)} does not have`);
}

export function openAxesFlaw(wanted: Dims): Error {
  return shapeError(`the shape ${formatShape(wanted)} has more than one -1 or a negative extent`);
}

export function multipleFlaw(dims: Dims, size: number, wanted: Dims): Error {
  return shapeError(`${formatShape(dims)} has ${size} elements, not a multiple of those in ${formatShape(wanted)}`);
}

export function elementsFlaw(dims: Dims, size: number, expected: number, wanted: Dims): Error {
  return shapeError(`${formatShape(dims)} has ${size} elements, expected ${expected} for ${formatShape(wanted)}`);
}

export function flattenFlaw(axis: number, rank: number): Error {
  return shapeError(`axis ${axis} is out of range for rank ${rank}`);
}

export function entriesFlaw(name: string, found: number, expected: number): Error {
  return shapeError(`attribute '${name}' has ${found} entries, expected ${expected}`);
}

export function windowFlaw(window: number, dilation: number, size: number, padBegin: number, padEnd: number): Error {
  return shapeError(
    `a window of ${window} taps, dilation ${dilation}, does not fit an extent of ${size} padded by ${padBegin} and ${padEnd}`,
  );
}

/** Entries of a window's attribute that are out of range. */
export function rangeFlaw(name: string, found: Dims): Error {
  const odd = found.length % 2 !== 0 && found.every((x) => x >= 0);
  const expected = name !== "pads" ? "every entry at least 1" : odd ? "an even number of entries" : "no negative padding";
  return attributeError(name, `found [${found.join(", ")}], expected ${expected}`);
}

export function unknownAttribute(name: string, known: readonly string[]): Error {
  const expected = known.length ? known.join(", ") : "none";
  return attributeError(name, `found an attribute this operator does not have at this opset, expected ${expected}`);
}

export function missingAttribute(name: string, expected: string): Error {
  return attributeError(name, `is missing, expected ${expected}`);
}

export function attributeKind(value: Attr, name: string, expected: string): Error {
  return attributeError(name, `found ${describe(value)}, expected ${expected}`);
}

function describe(value: Attr): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return `'${value}'`;
  if (Array.isArray(value)) return `[${value.slice(0, 8).join(", ")}]`;
  return isTensor(value) ? "a tensor" : "a graph";
}

export function typeFlaw({ type }: TypeInfo, index: number, expected: ElementType | "a float type" | "an integer type"): Error {
  return typeError(`input ${index} has type ${type}, expected ${expected}`);
}

export function rankFlaw({ dims }: TypeInfo, index: number, min: number, max: number): Error {
  const expected = max === Infinity ? `at least ${min}` : min === max ? `${min}` : `${min} to ${max}`;
  return shapeError(`input ${index} has rank ${dims.length} ${formatShape(dims)}, expected rank ${expected}`);
}

export function vectorFlaw({ dims }: TypeInfo, index: number, length: number): Error {
  return shapeError(`input ${index} has shape ${formatShape(dims)}, expected [${length}]`);
}

export function axisFlaw(axis: number, rank: number): Error {
  return shapeError(`axis ${axis} is out of range, expected ${-rank} to ${rank - 1} for rank ${rank}`);
}

export function axesFlaw(axes: Dims): Error {
  return shapeError(`axes [${axes.join(", ")}] name an axis twice`);
}

export function broadcastFlaw(inputs: readonly TypeInfo[]): Error {
  return shapeError(`shapes ${inputs.map((one) => formatShape(one.dims)).join(" and ")} do not broadcast`);
}

/** Why a computed shape is refused: an impossible extent, or too many elements or a long extent. */
export function outputFlaw(dims: Dims): Error {
  const where = `the output shape ${formatShape(dims)} has`;
  const impossible = dims.find((dim) => !Number.isSafeInteger(dim) || dim < 0);
  if (impossible !== undefined) return shapeError(`${where} an impossible extent ${impossible}`);
  if (!Number.isSafeInteger(dims.reduce((product, dim) => product * dim, 1))) return shapeError(`${where} too many elements`);
  return shapeError(`${where} an extent of ${dims.find((dim) => dim > MAX_EXTENT)}, at most ${MAX_EXTENT} is computed`);
}

export function scalarFlaw({ dims }: TypeInfo, index: number, expected: "a scalar" | "one dimension"): Error {
  const shape = expected === "a scalar" ? `[${dims.join(", ")}]` : formatShape(dims);
  return shapeError(`input ${index} has shape ${shape}, expected ${expected}`);
}
