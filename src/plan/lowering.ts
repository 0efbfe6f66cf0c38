/** Lowering: the interface through which forms emit steps. Addresses are symbolic (Ref) until the arena is planned. */
import type { Encoding } from "../encodings/encoding.ts";
import type { Graph, ValueId } from "../graph/graph.ts";
import type { ModuleGeometry } from "../kernels/variant.ts";
import type { WeightPacker } from "../kernels/weightPacker.ts";
import type { Layout, Proof, Storage, Target } from "./plan.ts";

/** A place in the constants section or in an arena buffer, plus a byte offset. */
export interface Ref {
  readonly kind: "constant" | "weights" | "buffer";
  readonly id: number;
  readonly offset: number;
}

export type { ModuleGeometry };

export interface Lowering {
  readonly graph: Graph;
  readonly target: Target;
  readonly module: ModuleGeometry;
  readonly packer: WeightPacker;
  /** Bytes that depend on this plan (tables, pointers). Aligned to 16. */
  constant(bytes: ArrayBufferView): Ref;
  /** Packed weights: made once per session and shared by all its plans. `key` names them uniquely. `make` is told the address they will have, if that
   *  can be written to: see WeightPacker. */
  weights(key: string, make: (address?: number) => ArrayBufferView): Ref;
  /** As weights, for what goes with them: epilogue blocks, start values, tables per channel. */
  shared(key: string, make: () => ArrayBufferView): Ref;
  /** A table of 32-bit addresses: base + offsets[i], or `zero` where offsets[i] is −1. */
  pointers(base: Ref, offsets: Int32Array, zero: Ref): Ref;
  /** Arena scratch; lives from the first to the last step that names it. Aligned to 64, readable 64 bytes beyond its end. */
  buffer(bytes: number): Ref;
  at(ref: Ref, offset: number): Ref;
  storage(encoding: Encoding): Storage;
  /** Where value `id` lies (codes if encoded, else float32) in `layout`; emits one transpose when it lies otherwise. Constants are materialised. */
  input(id: ValueId, layout: Layout): Ref;
  /** The layout `id` lies in already. */
  layoutOf(id: ValueId): Layout;
  /** Allocates the output `id` (codes if encoded, else float32) in `layout`. */
  output(id: ValueId, layout: Layout): Ref;
  /** `output`, lying in layout `to`, shares the bytes of `input` in layout `from` (same storage). Both row-major unless said. */
  alias(output: ValueId, input: ValueId, from?: Layout, to?: Layout): void;
  /** One kernel call. Fields by name in the order of the kernel's args list (src/kernels/abi.ts); a Ref becomes its address.
   *  `uses`: buffers reached only through pointer tables. */
  emit(kernel: string, fields: Readonly<Record<string, number | Ref>>, units: number, node: string, uses?: readonly Ref[]): void;
  /** Offers the epilogue region of `channels` channels for a proof. */
  prove(node: string, epilogue: Ref, channels: number, bounds: Pick<Proof, "accMin" | "accMax">): void;
}
