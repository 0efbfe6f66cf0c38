/** OpDef: what an operator declares. Shared code asks for these properties; it never compares operator names. */
import type { Attrs, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import type { Rational } from "../numerics/rational.ts";
import type { ElementType } from "../tensor/dtype.ts";

export type Precision = "f64" | "f32";

/** A tensor of plain numbers inside sim, reference and constant folding. Row-major. f32 → Float32Array, f64 → Float64Array.
 *  Integer, bool and float64 tensors are always Float64Array; values beyond 2^53 are clamped. */
export interface Numbers {
  readonly dims: Shape;
  readonly data: Float64Array | Float32Array;
}

/** What shape inference knows of an input: `constant` is set when its elements are known. */
export interface TypeInfo {
  readonly type: ElementType;
  readonly dims: Shape;
  readonly constant?: Float64Array | Float32Array;
}

/** A strided copy: for every index i over dims, out[outOffset + Σ i·outStrides] = in[inOffset + Σ i·inStrides]. All in elements. */
export interface Region {
  readonly input: number; // index of the input it reads
  readonly inOffset: number;
  readonly inStrides: readonly number[]; // may be 0 (repeat) or negative (reflect, reverse)
  readonly outOffset: number;
  readonly outStrides: readonly number[];
  readonly dims: readonly number[];
}

/** Data movement of one output. Elements no region writes hold `fill`. `alias`: same bytes in row-major order as input `alias` (Reshape). */
export interface Movement {
  readonly regions: readonly Region[];
  readonly fill?: number; // real value (Pad's constant)
  readonly alias?: number;
}

/** One axis of a window: output index o and window index w read input index o·stride + w·dilation − padBegin; outside [0, size) is padding. */
export interface WindowAxis {
  readonly size: number; // input extent
  readonly out: number; // output extent
  readonly window: number; // taps; 1 on axes that pass through
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
}

/** Pools and reductions alike: one entry per input axis. A reduced axis has out 1 and window = size. */
export interface Window {
  readonly axes: readonly WindowAxis[];
  readonly countPadding: boolean; // average divides by all taps inside the padded extent, or only by those on data
  readonly paddedExtent?: readonly number[]; // per axis: size + padBegin + padEnd (countPadding with ceil_mode clips there)
}

/** A dot product's geometry, conv form. Channels-first input [N, C, spatial…]; taps in row-major order of the kernel. */
export interface ConvGeometry {
  readonly kind: "conv";
  readonly batch: number;
  readonly groups: number;
  readonly inChannels: number; // all groups
  readonly outChannels: number; // all groups
  readonly spatial: readonly WindowAxis[]; // 1 to 3; transposed: the forward convolution's stride/dilation/pad, sizes of this op's own input and output
  readonly transposed: boolean;
}

/** Matrix product with numpy batching: c[…, m, n] = Σ_k a[…, m, k]·b[…, k, n]. Offsets and strides in elements of the row-major operands. */
export interface MatmulGeometry {
  readonly kind: "matmul";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aOffsets: readonly number[]; // one per batch
  readonly bOffsets: readonly number[];
  readonly cOffsets: readonly number[];
  readonly aStrides: readonly [number, number]; // m, k
  readonly bStrides: readonly [number, number]; // k, n
}

export type DotGeometry = ConvGeometry | MatmulGeometry;

/** f(x) = slope·x for x < 0, x otherwise; clamp to [lo, hi]. Slope per channel (axis 1 of the tensor it applies to) or single. */
export type Activation =
  | { readonly kind: "clamp"; readonly lo: number; readonly hi: number }
  | { readonly kind: "slope"; readonly slope: Float32Array };

/** What an operator that stands for other nodes is told: its node, what is known of the inputs, the opset. `reserve` refuses more nodes than a
 *  graph may be unrolled to. */
export interface InlineSite {
  readonly node: Node;
  readonly infos: readonly (TypeInfo | null)[];
  readonly opset: number;
  readonly reserve: (nodes: number) => void;
}

/** Nodes, in topological order, that stand in a node's place and make its outputs; the values they add. */
export interface Inlined {
  readonly nodes: readonly Node[];
  readonly values: readonly Value[];
}

export interface Arity {
  readonly inputs: readonly [min: number, max: number];
  readonly outputs: readonly [min: number, max: number];
}

/** What an operator is asked for its expansion with. Names made by `name` are new to the graph. */
export interface ExpandCall<A = unknown> {
  readonly node: Node;
  readonly attrs: A;
  readonly opset: number; // of ai.onnx
  /** Name of the result as real numbers, and as codes where it is quantized: one of the two is the node's first output. */
  readonly real: ValueId;
  readonly codes: ValueId;
  value(id: ValueId): Value | undefined;
  name(suffix: string): ValueId;
}

/** Constants and nodes, in topological order, that stand in a node's place. */
export interface Expansion {
  readonly constants: readonly Value[];
  readonly nodes: readonly Node[];
}

export interface OpDef<A = unknown> {
  readonly type: string;
  readonly domain?: string; // default "" (ai.onnx)
  readonly since?: number; // first opset with the semantics implemented, default 1
  readonly arity: Arity;
  /** Attributes with defaults. throws ModelError "op/attribute". `outputs`: how many the node has; opOf binds it where it matters (Split). */
  parse(attrs: Attrs, opset: number, outputs?: number): A;
  /** Output types and shapes. throws ModelError "op/shape" (contradiction) or "op/type". `null` = absent optional input. */
  infer(inputs: readonly (TypeInfo | null)[], attrs: A): { type: ElementType; dims: Shape }[];
  /** The operator in plain loops at the given precision (f32: every + − × ÷ rounded to float32, elementary functions evaluated in double and rounded once).
   *  `types`: element types of the inputs, for operators whose integer arithmetic depends on them (Div, QuantizeLinear…); absent: Float64Array at "f32" is int64, everything else float32. */
  float(inputs: readonly (Numbers | null)[], attrs: A, precision: Precision, types?: readonly (ElementType | null)[]): Numbers[];
  /** Running error: absolute bounds of each output element, given those of the inputs (Numbers of the same dims; null = exact). `unit` = unit roundoff of the source. */
  error?(
    inputs: readonly (Numbers | null)[],
    errors: readonly (Numbers | null)[],
    outputs: readonly Numbers[],
    attrs: A,
    unit: number,
  ): Numbers[];
  readonly traits: Traits<A>;
}

/** Declared properties. All optional; absent means no. */
export interface Traits<A> {
  /** One output element depends on the elements at the same (broadcast) position only; output shape = broadcast of the inputs. */
  readonly elementwise?: boolean;
  /** The outputs depend on the inputs' shapes only (Shape, Size): folded without data. */
  readonly shapeOnly?: boolean;
  /** Control flow: the nodes that stand in its place once shapes are known. It is neither inferred nor computed itself. */
  readonly inline?: (site: InlineSite, attrs: A) => Inlined;
  /** Q/DQ: the pass that reads quantized graphs turns these into encodings. */
  readonly boundary?: "quantize" | "dequantize";
  /** y = x·scale[c] + shift[c] on axis 1 with constant parameters (BatchNormalization): foldable into a preceding dot product. */
  readonly channelAffine?: (
    constants: readonly (TypeInfo | null)[],
    attrs: A,
  ) => { readonly scale: Float64Array; readonly shift: Float64Array } | undefined;
  /** One element in float32 as ONNX Runtime computes it, where that is not the correctly rounded function; `error`: how far it may be off. */
  readonly single?: { readonly of: (x: number, attrs: A) => number; readonly error: number };
  /** Scalar form over rationals, for operators that map rationals to rationals. Inputs in operator order (absent ones undefined). */
  readonly rational?: (inputs: readonly (Rational | undefined)[], attrs: A) => Rational;
  /** The two-operand linear form. */
  readonly linear?: "add" | "sub" | "mul";
  /** Per output; `constants[i]` holds the elements of constant inputs. Undefined when it is not a pure movement for these inputs. */
  readonly movement?: (inputs: readonly (TypeInfo | null)[], outputs: readonly Shape[], attrs: A) => Movement[] | undefined;
  /** Picks slices of input 0 along an axis by the indices of input 1. */
  readonly gather?: (attrs: A) => number;
  /** Encoding passes through the operator in both directions (movement, max pools, reduce max/min, …). */
  readonly passesEncoding?: boolean;
  /** What it does on codes between quantizer and dequantizer: moves them, or interpolates them; absent: nothing that reals would not say. */
  readonly onIntegers?: (attrs: A) => "moves" | "interpolates" | undefined;
  /** exp(x_i)/Σ exp(x_j) over lines of `size` elements, `inner` apart, `outer`·`inner` of them. */
  readonly exponentialShares?: (dims: Shape, attrs: A) => { readonly outer: number; readonly size: number; readonly inner: number };
  readonly activation?: (constants: readonly (TypeInfo | null)[], attrs: A) => Activation | undefined;
  readonly dot?: {
    readonly geometry: (a: TypeInfo, b: TypeInfo, out: Shape, attrs: A) => DotGeometry;
    readonly bias?: number; // input index of the bias
    readonly scale?: (attrs: A) => { readonly product: number; readonly bias: number }; // Gemm alpha, beta
    readonly channelAxis: (b: Shape, attrs: A) => number; // output-channel axis of the weight
    readonly blockAxis: (b: Shape, attrs: A) => number; // input-channel axis of the weight
  };
  /** Mean over a window. */
  readonly mean?: (input: TypeInfo, out: Shape, attrs: A, inputs: readonly (TypeInfo | null)[]) => Window | undefined;
  /** Peers that compute in float32 add the taps of its mean as reals, in row-major order; otherwise they sum codes. */
  readonly addsReals?: boolean;
  /** Sum over a window. */
  readonly sum?: (input: TypeInfo, out: Shape, attrs: A, inputs: readonly (TypeInfo | null)[]) => Window | undefined;
  /** Maximum or minimum over a window; padding never wins. */
  readonly extreme?: {
    readonly which: "max" | "min";
    readonly window: (input: TypeInfo, out: Shape, attrs: A, inputs: readonly (TypeInfo | null)[]) => Window | undefined;
  };
  /** The operator in other operators; it never runs itself. throws ModelError "op/…" for what it cannot express. */
  readonly expand?: (call: ExpandCall<A>) => Expansion;
  /** Computes on codes: a graph that has such a node is in QOperator form. */
  readonly onCodes?: boolean;
  /** Multiply-accumulates of one run. */
  readonly macs?: (inputs: readonly (TypeInfo | null)[], outputs: readonly Shape[], attrs: A) => number;
}

export function defineOp<A>(op: OpDef<A>): OpDef<A> {
  return op;
}
