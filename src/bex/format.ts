/** The file of a compiled model (.bex): 64 bytes of preamble, a header in JSON, and sections; all in whole blocks of 64 bytes, little-endian.
 *  docs/compiled.md describes it. */
import type { Layout, Target, Variant } from "../plan/plan.ts";
import type { ElementType } from "../tensor/dtype.ts";

export const MAGIC = "BEX1";
export const FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = 64;
/** No header is longer; whoever claims so gets no memory for it. */
export const MAX_HEADER_BYTES = 2 ** 26;

/** Byte offsets in the preamble: the magic, then 32-bit words; sizes of files in two words. All other bytes are 0. */
export const PREAMBLE = { version: 4, headerBytes: 8, fileBytes: 16, checksum: 24 } as const;

/** A step is four numbers: index of the kernel's name, address of its args, units, index of the node's name. */
export type FlatSteps = readonly number[];
export const STEP_NUMBERS = 4;

/** The grid of a value: codes of at most 16 bit, per tensor. */
export interface BexEncoding {
  readonly type: ElementType;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** A value that enters, leaves or can be captured. */
export interface BexPort {
  readonly value: string;
  readonly type: ElementType; // of the float graph
  readonly shape: readonly number[];
  readonly encoding?: BexEncoding; // present: codes at `address`
  readonly layout: Layout;
  readonly address: number;
  readonly float: number; // address of float32 elements beside codes; −1: none
  readonly convert: FlatSteps;
  readonly flip: FlatSteps;
}

/** The plan for one kernel variant. */
export interface BexPlan {
  readonly variant: Variant;
  readonly modules: Readonly<Record<string, string>>; // kernel modules it was made for, by name: their build
  readonly image: readonly (readonly [section: number, address: number])[]; // what lies below the arena, by address
  readonly constants: number; // address of what belongs to the plan alone
  readonly arena: readonly [address: number, bytes: number];
  readonly kernels: readonly string[];
  readonly nodes: readonly string[];
  readonly steps: FlatSteps;
  readonly inputs: readonly BexPort[];
  readonly outputs: readonly BexPort[];
  readonly captures: readonly BexPort[];
}

export interface BexHeader {
  readonly producer: string;
  readonly name: string; // of the graph
  readonly target: Target;
  readonly bounds: Readonly<Record<string, number>>; // of inputs that are indices: −bound ≤ index < bound
  readonly sections: readonly (readonly [bytes: number, checksum: string])[]; // they follow the header in this order
  readonly plans: readonly BexPlan[]; // best variant first
}

/** `length` rounded up to whole blocks. */
export function wholeBlocks(length: number): number {
  return Math.ceil(length / 64) * 64;
}
