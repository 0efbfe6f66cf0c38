/** Reading the preamble and the header of a compiled model: nothing is believed that has not been checked. */
import { gridOf } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import { TARGET_NAMES } from "../numerics/targets.ts";
import { isWide } from "../plan/storage.ts";
import { IMAGE_BASE } from "../plan/weightStore.ts";
import { arrayType, type ElementType, integerType, isFloatType } from "../tensor/dtype.ts";
import { BLOCK } from "./checksum.ts";
import { choiceAt, flaw, integerAt, listAt, namesAt, recordAt, textAt } from "./fields.ts";
import {
  type BexEncoding,
  type BexHeader,
  type BexPlan,
  type BexPort,
  type FlatSteps,
  FORMAT_VERSION,
  MAGIC,
  MAX_HEADER_BYTES,
  PREAMBLE,
  PREAMBLE_BYTES,
  STEP_NUMBERS,
} from "./format.ts";

export interface Preamble {
  readonly headerBytes: number;
  readonly fileBytes: number;
  readonly checksum: string; // of the header
}

const MEMORY_LIMIT = 2 ** 32;
const MOST_UNITS = 2 ** 31 - 1;

/** The first 64 bytes. throws ModelError "bex/magic", "bex/version", "bex/truncated", "bex/altered". */
export function readPreamble(bytes: Uint8Array): Preamble {
  for (let i = 0; i < MAGIC.length; i++)
    if (bytes[i] !== MAGIC.charCodeAt(i))
      throw modelError("bex/magic", "compiled model: the file does not begin with BEX1; expected a file made by `bitexact compile`");
  if (bytes.length < PREAMBLE_BYTES) throw truncated(bytes.length, PREAMBLE_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  const word = (at: number): number => view.getUint32(at, true);
  const version = word(PREAMBLE.version);
  if (version !== FORMAT_VERSION) {
    const message = `compiled model: format version ${version}, expected ${FORMAT_VERSION}; compile the model with this version of bitexact`;
    throw modelError("bex/version", message);
  }
  const used = new Set([
    0,
    PREAMBLE.version,
    PREAMBLE.headerBytes,
    PREAMBLE.fileBytes,
    PREAMBLE.fileBytes + 4,
    PREAMBLE.checksum,
    PREAMBLE.checksum + 4,
  ]);
  for (let at = 0; at < PREAMBLE_BYTES; at += 4) if (!used.has(at) && word(at) !== 0) throw altered("the preamble");
  const fileBytes = word(PREAMBLE.fileBytes) + 2 ** 32 * word(PREAMBLE.fileBytes + 4);
  const headerBytes = word(PREAMBLE.headerBytes);
  if (headerBytes % 64 !== 0 || headerBytes > MAX_HEADER_BYTES || PREAMBLE_BYTES + headerBytes > fileBytes) throw altered("the preamble");
  return { headerBytes, fileBytes, checksum: view.getBigUint64(PREAMBLE.checksum, true).toString(16).padStart(16, "0") };
}

export function truncated(found: number, expected: number): Error {
  return modelError("bex/truncated", `compiled model: found ${found} bytes, expected ${expected}; copy or download the file again`);
}

/** part: "the header", "section 3". */
export function altered(part: string): Error {
  return modelError("bex/altered", `compiled model: ${part} is not what was written; copy or download the file again`);
}

/** The header's record. throws ModelError "bex/header". */
export function readHeader(bytes: Uint8Array, { fileBytes, headerBytes }: Preamble): BexHeader {
  const fields = recordAt(parsed(bytes), "header");
  const sections = listAt(fields.sections, "sections").map(sectionAt);
  const end = sections.reduce((sum, [length]) => sum + length, PREAMBLE_BYTES + headerBytes);
  if (end !== fileBytes) flaw("sections", `${fileBytes - PREAMBLE_BYTES - headerBytes} bytes in all`);
  const plans = listAt(fields.plans, "plans").map((plan, i) => planAt(plan, `plans[${i}]`, sections));
  if (plans.length === 0) flaw("plans", "at least one plan");
  namesAt(
    plans.map(({ variant }) => variant),
    "plans' variants",
  );
  const bounds = Object.entries(recordAt(fields.bounds, "bounds"));
  return {
    producer: textAt(fields.producer, "producer"),
    name: textAt(fields.name, "name"),
    target: choiceAt(fields.target, "target", TARGET_NAMES),
    bounds: Object.fromEntries(bounds.map(([name, bound]) => [name, integerAt(bound, `bounds.${name}`, 1, Number.MAX_SAFE_INTEGER)])),
    sections,
    plans,
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return flaw("header", "JSON");
  }
}

const CHECKSUM = /^[0-9a-f]{16}$/;

function checksumAt(value: unknown, where: string): string {
  const text = textAt(value, where);
  return CHECKSUM.test(text) ? text : flaw(where, "16 hexadecimal digits");
}

function sectionAt(value: unknown): readonly [number, string] {
  const [bytes, checksum] = listAt(value, "sections");
  return [integerAt(bytes, "sections", BLOCK, MEMORY_LIMIT, BLOCK), checksumAt(checksum, "sections")];
}

function planAt(value: unknown, where: string, sections: BexHeader["sections"]): BexPlan {
  const fields = recordAt(value, where);
  const variant = choiceAt(fields.variant, `${where}.variant`, ["usdot", "sdot", "simd"] as const);
  const arena = arenaAt(fields.arena, `${where}.arena`);
  const [base, length] = arena;
  const kernels = namesAt(fields.kernels, `${where}.kernels`);
  const nodes = namesAt(fields.nodes, `${where}.nodes`);
  const room: Room = { end: base + length, kernels: kernels.length, nodes: nodes.length };
  const ports = (name: "inputs" | "outputs" | "captures"): BexPort[] => {
    const list = listAt(fields[name], `${where}.${name}`).map((port, i) => portAt(port, `${where}.${name}[${i}]`, room, name));
    namesAt(
      list.map((port) => port.value),
      `${where}.${name}`,
    );
    return list;
  };
  return {
    variant,
    modules: modulesAt(fields.modules, `${where}.modules`, variant),
    image: imageAt(fields.image, `${where}.image`, sections, base),
    constants: integerAt(fields.constants, `${where}.constants`, IMAGE_BASE, base, 64),
    ...{ arena, kernels, nodes },
    steps: stepsAt(fields.steps, `${where}.steps`, room),
    inputs: ports("inputs"),
    outputs: ports("outputs"),
    captures: ports("captures"),
  };
}

/** What a plan's numbers may name. */
interface Room {
  readonly end: number; // bytes of memory
  readonly kernels: number;
  readonly nodes: number;
}

function arenaAt(value: unknown, where: string): readonly [number, number] {
  const [address, bytes] = listAt(value, where);
  const base = integerAt(address, `${where} address`, IMAGE_BASE, MEMORY_LIMIT, 64);
  return [base, integerAt(bytes, `${where} bytes`, 0, MEMORY_LIMIT - base)];
}

function modulesAt(value: unknown, where: string, variant: string): Readonly<Record<string, string>> {
  const known = [variant, "float", variant === "usdot" ? "rest-unsigned" : "rest-signed"];
  const modules = recordAt(value, where);
  if (!Object.hasOwn(modules, variant)) flaw(where, `the module '${variant}'`);
  return Object.fromEntries(
    Object.entries(modules).map(([name, build]) => [choiceAt(name, where, known), checksumAt(build, `${where}.${name}`)]),
  );
}

function imageAt(value: unknown, where: string, sections: BexHeader["sections"], end: number): BexPlan["image"] {
  let least = IMAGE_BASE;
  return listAt(value, where).map((part) => {
    const [index, start] = listAt(part, where);
    const section = integerAt(index, where, 0, sections.length - 1);
    const address = integerAt(start, where, least, end, BLOCK);
    least = address + sections[section]![0];
    if (least > end) flaw(where, `sections that end at ${end} or before`);
    return [section, address] as const;
  });
}

function stepsAt(value: unknown, where: string, { end, kernels, nodes }: Room): FlatSteps {
  const numbers = listAt(value, where);
  if (numbers.length % STEP_NUMBERS !== 0) flaw(where, `${STEP_NUMBERS} numbers a step`);
  for (let i = 0; i < numbers.length; i += STEP_NUMBERS) {
    integerAt(numbers[i], where, 0, kernels - 1);
    integerAt(numbers[i + 1], where, IMAGE_BASE, end - 4, 4);
    integerAt(numbers[i + 2], where, 0, MOST_UNITS);
    integerAt(numbers[i + 3], where, 0, nodes - 1);
  }
  return numbers as FlatSteps;
}

function portAt(value: unknown, where: string, room: Room, use: "inputs" | "outputs" | "captures"): BexPort {
  const fields = recordAt(value, where);
  const type = textAt(fields.type, `${where}.type`) as ElementType;
  if (arrayType(type) === undefined) flaw(`${where}.type`, "an element type");
  const shape = listAt(fields.shape, `${where}.shape`).map((dim, i) => integerAt(dim, `${where}.shape[${i}]`, 0, MEMORY_LIMIT));
  const encoding = fields.encoding === undefined ? undefined : encodingAt(fields.encoding, `${where}.encoding`, type);
  const size = shape.reduce((a, b) => a * b, 1);
  const width = encoding ? (gridOf(encoding.type).bits > 8 ? 2 : 1) : isWide(type) ? 8 : 4;
  const twin = encoding !== undefined && use !== "captures";
  return {
    value: textAt(fields.value, `${where}.value`),
    ...{ type, shape },
    ...(encoding ? { encoding } : {}),
    layout: choiceAt(fields.layout, `${where}.layout`, use === "inputs" ? ["rowMajor"] : ["rowMajor", "channelsLast"]),
    address: integerAt(fields.address, `${where}.address`, IMAGE_BASE, room.end - size * width, width),
    float: twin
      ? integerAt(fields.float, `${where}.float`, IMAGE_BASE, room.end - size * 4, 4)
      : integerAt(fields.float, `${where}.float`, -1, -1),
    convert: stepsAt(fields.convert, `${where}.convert`, room),
    flip: stepsAt(fields.flip, `${where}.flip`, room),
  };
}

function encodingAt(value: unknown, where: string, type: ElementType): BexEncoding {
  const fields = recordAt(value, where);
  const grid = textAt(fields.type, `${where}.type`) as ElementType;
  const { scale } = fields;
  if (!isFloatType(type) || !((integerType(grid)?.bits ?? 32) <= 16)) flaw(`${where}.type`, "a grid of at most 16 bit on a float value");
  if (!(typeof scale === "number" && scale > 0 && Number.isFinite(scale) && Math.fround(scale) === scale))
    flaw(`${where}.scale`, "a positive float32");
  const { qmin, qmax } = gridOf(grid);
  return { type: grid, scale: scale as number, zeroPoint: integerAt(fields.zeroPoint, `${where}.zeroPoint`, qmin, qmax) };
}
