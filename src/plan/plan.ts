/** Plan: a compiled graph as data. No functions, no class instances: structured-cloneable, serialisable, diffable. */
import type { Encoding } from "../encodings/encoding.ts";
import type { Shape, ValueId } from "../graph/graph.ts";
import type { Variant } from "../kernels/variant.ts";
import type { Target } from "../numerics/target.ts";
import type { ElementType } from "../tensor/dtype.ts";

export type { Target, Variant };

/** Where a tensor's elements lie: row-major of its ONNX shape, or channels (axis 1) last. Rank ≤ 2: the same. */
export type Layout = "rowMajor" | "channelsLast";

/** How codes of an encoding lie in memory: stored = code + shift. 8-bit-or-less grids take 1 byte in the variant's signedness
 *  (usdot: unsigned; simd, sdot: signed); 9 to 16 bit take 2 bytes, always unsigned. */
export interface Storage {
  readonly bytes: 1 | 2;
  readonly signed: boolean;
  readonly shift: number;
  readonly zero: number; // stored zero point
  readonly min: number; // stored qmin
  readonly max: number; // stored qmax
}

export interface Step {
  readonly kernel: string; // an export of the kernel module: kernel(args, begin, end)
  readonly args: number; // absolute address of its args block
  readonly units: number;
  readonly node: string; // node or value it serves, for profiles and errors
  readonly parts?: readonly Part[]; // its units shared out to threads, the first thread's part first
}

/** What one thread does of a step: some of its units, with args of its own where the kernel needs scratch. */
export interface Part {
  readonly args: number;
  readonly begin: number;
  readonly end: number;
}

/** Where a captured, input or output value lies. */
export interface Port {
  readonly value: ValueId;
  readonly type: ElementType; // of the float graph
  readonly encoding?: Encoding; // present: codes at `address`; absent: float32 (or other plain) elements
  readonly storage?: Storage;
  readonly shape: Shape;
  readonly layout: Layout;
  readonly address: number;
  readonly floatAddress: number; // inputs and outputs with an encoding: floats beside the codes, row-major; else −1
  readonly convert: readonly Step[]; // inputs: float32 → codes; outputs: codes → float32 row-major
  readonly flip: readonly Step[]; // codes ⇄ stored codes in place, where storage has a shift
}

export interface Plan {
  readonly variant: Variant;
  readonly target: Target;
  readonly steps: readonly Step[];
  readonly weights: readonly { readonly address: number; readonly bytes: Uint8Array; readonly key: string }[];
  readonly constants: { readonly address: number; readonly bytes: Uint8Array };
  readonly arena: { readonly address: number; readonly bytes: number };
  readonly partArgs?: { readonly address: number; readonly bytes: Uint8Array }; // args of parts, inside the arena's bytes but written by no step
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly captures: readonly Port[];
  readonly proofs: readonly Proof[];
}

/** A proof to attempt after the first run (or ahead of time): whether a cheaper epilogue gives the same integers. The channels' factors and
 *  biases are those of the epilogue region itself. */
export interface Proof {
  readonly node: string;
  readonly channels: number;
  readonly epilogueAddress: number; // header and panel blocks of this step, absolute
  readonly panels: number;
  readonly accMin: number; // bounds of every channel's accumulators
  readonly accMax: number;
}
