/** NumPy array files: header and elements of one .npy, read and written. */
import { modelError } from "../errors.ts";
import { type ElementType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { formatShape } from "../tensor/shape.ts";

export interface NpyArray {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: TypedArray; // row-major; float16 as bits, bool as 0 and 1
}

const TYPES: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
  ["b1", "bool"],
  ["i1", "int8"],
  ["u1", "uint8"],
  ["i2", "int16"],
  ["u2", "uint16"],
  ["i4", "int32"],
  ["u4", "uint32"],
  ["i8", "int64"],
  ["u8", "uint64"],
]);
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const MAX_RANK = 8;
const MAX_BYTES = 2 ** 31 - 1;
const HEADER_ALIGNMENT = 64;

/** The array of a .npy file, format 1.0 to 3.0. Big-endian and Fortran-ordered files are converted.
 *  `name` is used in messages. throws ModelError "npy/malformed", "npy/dtype", "npy/length". */
export function readNpy(bytes: Uint8Array, name = "array"): NpyArray {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw malformed(name, "does not begin with the NumPy signature");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint8(6);
  if (major < 1 || major > 3) throw malformed(name, `has format version ${major}, of which 1 to 3 are known`);
  const begin = major === 1 ? 10 : 12;
  if (bytes.length < begin) throw malformed(name, "ends inside its header");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > bytes.length - begin) throw malformed(name, "ends inside its header");
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(begin, begin + length)), name);
  const itemSize = Number(header.item.slice(1));
  const size = sizeWithin(header.dims, itemSize, name);
  const payload = bytes.subarray(begin + length);
  if (payload.length !== size * itemSize) {
    throw modelError(
      "npy/length",
      `${name}: ${payload.length} bytes of elements, expected ${size * itemSize} for ${header.item}${formatShape(header.dims)}. The file is cut or damaged.`,
    );
  }
  const data = elements(header.type, new Uint8Array(payload), header.bigEndian ? itemSize : 1);
  return { type: header.type, dims: header.dims, data: header.fortran ? toRowMajor(data, header.type, header.dims) : data };
}

interface Header {
  readonly type: ElementType;
  readonly item: string; // numpy kind and item size: "f4"
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly dims: readonly number[];
}

/** The header is a Python dict literal with exactly the keys descr, fortran_order and shape. */
function parseHeader(text: string, name: string): Header {
  const match = /^\{(.*)\}\s*$/s.exec(text.trim());
  const body = match?.[1] ?? "";
  const descr = /(?:^|[,\s])'descr'\s*:\s*'([<>|=])([a-z]\d+)'/.exec(body);
  const order = /(?:^|[,\s])'fortran_order'\s*:\s*(True|False)/.exec(body);
  const shape = /(?:^|[,\s])'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(body);
  if (!match || !order || !shape) throw malformed(name, `has the header ${text.trim().slice(0, 80)}`);
  if (!descr)
    throw modelError(
      "npy/dtype",
      `${name}: dtype in ${text.trim().slice(0, 80)} is not read, expected plain numbers or bools. Convert with astype.`,
    );
  const item = descr[2] as string;
  const type = TYPES.get(item);
  if (!type)
    throw modelError(
      "npy/dtype",
      `${name}: dtype '${descr[1]}${item}' is not read, expected ${[...TYPES.keys()].join(", ")}. Convert with astype.`,
    );
  const dims = (shape[1] as string)
    .split(",")
    .map((dim) => dim.trim().replace(/L$/, ""))
    .filter((dim) => dim !== "")
    .map(Number);
  return { type, item, bigEndian: descr[1] === ">", fortran: order[1] === "True", dims };
}

function sizeWithin(dims: readonly number[], itemSize: number, name: string): number {
  if (dims.length > MAX_RANK) throw malformed(name, `has ${dims.length} axes, of which ${MAX_RANK} are read`);
  let size = dims.includes(0) ? 0 : 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim)) throw malformed(name, `has the shape ${formatShape(dims)}`);
    size *= dim;
    if (size * itemSize > MAX_BYTES) throw malformed(name, `has more than ${MAX_BYTES} bytes by its shape ${formatShape(dims)}`);
  }
  return size;
}

function elements(type: ElementType, bytes: Uint8Array, swap: number): TypedArray {
  if (swap > 1) for (let at = 0; at < bytes.length; at += swap) bytes.subarray(at, at + swap).reverse();
  if (type === "bool") return bytes.map((byte) => (byte === 0 ? 0 : 1));
  return new (newArray(type, 0).constructor as new (buffer: ArrayBufferLike) => TypedArray)(bytes.buffer);
}

function toRowMajor(data: TypedArray, type: ElementType, dims: readonly number[]): TypedArray {
  const out = newArray(type, data.length) as Float64Array;
  const index = new Array<number>(dims.length).fill(0);
  const source = data as Float64Array;
  for (let i = 0; i < data.length; i++) {
    let from = 0;
    for (let axis = dims.length - 1; axis >= 0; axis--) from = from * (dims[axis] as number) + (index[axis] as number);
    out[i] = source[from] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return out;
}

/** The bytes of `array` as a .npy file, format 1.0, little-endian, C order. Sub-byte integers are written one per byte. */
export function writeNpy(array: NpyArray): Uint8Array {
  const { type, dims, data } = array;
  const stored = /^u?int[24]$/.test(type) ? (type.startsWith("u") ? "uint8" : "int8") : type;
  const item = [...TYPES].find(([, name]) => name === stored)?.[0] as string;
  const order = item.endsWith("1") ? "|" : "<";
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(", ")})`;
  const text = `{'descr': '${order}${item}', 'fortran_order': False, 'shape': ${shape}, }`;
  const total = Math.ceil((10 + text.length + 1) / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const bytes = new Uint8Array(total + data.byteLength);
  bytes.set([...MAGIC, 1, 0, (total - 10) & 0xff, (total - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${text.padEnd(total - 11, " ")}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), total);
  return bytes;
}

function malformed(name: string, found: string): Error {
  return modelError("npy/malformed", `${name}: ${found}, expected a NumPy .npy file. Save it with numpy.save.`);
}
