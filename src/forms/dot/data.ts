/** What the dot form knows of a layer: operands, geometry, bias, activation and their encodings. Plain data. */
import type { Encoding } from "../../encodings/encoding.ts";
import type { Shape, ValueId } from "../../graph/graph.ts";
import type { DotGeometry } from "../../ops/op.ts";

/** One addend per output channel, as the simulation has it. The real bias of a layer is the exact sum of its terms. */
export interface BiasTerm {
  readonly value: ValueId;
  readonly data: Float64Array; // (channels,); each element is an exact real: a float32 or scale · (q − zeroPoint), times beta
  readonly integers: Float64Array | null; // (channels,); int32 codes of a 32-bit encoding, where the file has them
  readonly encoding: Encoding | null; // as found; ≤ 16 bit is applied in `data` already, 32 bit is not
}

/** f(x) = slope·x for x < 0, then clamp to [lo, hi]. */
export type DotActivation =
  | { readonly kind: "clamp"; readonly lo: number; readonly hi: number }
  | { readonly kind: "slope"; readonly slope: Float64Array }; // (channels,)

export interface DotData {
  readonly node: string; // the dot product's node
  readonly op: string; // its operator type, for messages
  readonly nodes: readonly string[]; // all nodes of the layer
  readonly a: ValueId;
  readonly b: ValueId;
  readonly out: ValueId; // the value that leaves the layer
  readonly aShape: Shape;
  readonly bShape: Shape;
  readonly outShape: Shape;
  readonly geometry: DotGeometry;
  readonly channels: number; // output channels of a convolution, columns n of a matrix product
  readonly aEncoding: Encoding;
  readonly bEncoding: Encoding;
  readonly outEncoding: Encoding | null; // null: the product leaves as real numbers (program form)
  readonly computed: boolean; // the second operand is an activation, not a constant
  readonly alpha: number; // factor of the product (Gemm)
  readonly bias: readonly BiasTerm[];
  readonly activation: DotActivation | null;
}
