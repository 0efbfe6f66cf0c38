/** Form: a shape of integer layer that has its own arithmetic (dot product, table, linear, mean, …).
 *  A form recognises a layer by the declared traits of its operators, computes it in integers, lowers it to kernels, and judges a deviation. */
import type { Graph, Node, ValueId } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";

/** Nodes between encoded values. `island`: at least one value that leaves or enters is not encoded. */
export interface Layer {
  readonly nodes: readonly Node[]; // topological order
  readonly inputs: readonly ValueId[]; // non-constant values that enter, in first-use order
  readonly outputs: readonly ValueId[]; // values that leave
  readonly island: boolean;
}

/** Codes of encoded values and plain numbers of the others, by name. Codes are true codes (not stored ones), row-major. */
export type Codes = ReadonlyMap<ValueId, Numbers>;

/** For each element of one output: the exact pre-quantization value t in LSB relative to code 0 (zero point included, before clamping),
 *  the bound E on the source's own error and the term magnitude Σ|terms|/sy, all in LSB. */
export interface Judgement {
  readonly exact: Float64Array;
  readonly bound: Float64Array;
  readonly magnitude: Float64Array | null; // Σ|terms|/sy of dot products
  readonly deviation: Float64Array | null; // D: the target's own declared deviation from t; null: 0
}

/** Unit roundoff and bias treatment of the source that is judged. */
export interface SourceModel {
  readonly unit: number; // 2^-24 or 2^-53
}

/** What a report says of a layer with weights. */
export interface LayerFacts {
  readonly channels: number; // output channels, or columns of a matrix product
  readonly headroomBits: number; // bits left above the largest reachable accumulator: of 31 where all fit int32, else of 53 (wide path)
  readonly biases: readonly {
    readonly tensor: string;
    readonly bits: number;
    readonly use: "applied" | "accumulator" | "ignored";
    readonly reason: string;
  }[];
}

export interface Form<D = unknown> {
  readonly name: string;
  /** Null when the layer is not of this form. */
  match(layer: Layer, graph: Graph): D | null;
  /** The layer's outputs in integers: the golden model. */
  reference(data: D, layer: Layer, graph: Graph, inputs: Codes, target: Target): Numbers[];
  /** Emits the steps that compute the layer's outputs. throws ModelError "plan/no-kernel". */
  lower(data: D, layer: Layer, ctx: Lowering): void;
  judge(data: D, layer: Layer, graph: Graph, inputs: Codes, source: SourceModel, target: Target): Judgement[];
  /** For layers with weights. */
  facts?(data: D, layer: Layer, graph: Graph, target: Target): LayerFacts;
}

/** What compiling asks of a form. The rest comes with everything beyond the core. */
export type CoreForm<D> = Pick<Form<D>, "name" | "match" | "lower">;

export function defineForm<D>(form: Form<D>): Form<D> {
  return form;
}
