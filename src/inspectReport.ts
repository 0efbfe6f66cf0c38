/** InspectReport: what `bitexact inspect` prints and writes as JSON. Plain data; the table printer and scripts read the same record. */
import type { Target, Variant } from "./plan/plan.ts";
import type { ElementType } from "./tensor/dtype.ts";

export interface PortReport {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
  readonly encoding: { readonly type: ElementType; readonly scale: number; readonly zeroPoint: number } | null;
}

/** A layer of several operators that is computed with one rounding at its end, or (in `islands`) in float32. */
export interface GroupReport {
  readonly form: string; // "dot", "table", "program", "island", …
  readonly nodes: readonly string[];
  readonly ops: readonly string[];
  readonly outputs: readonly string[];
}

export interface DotReport {
  readonly node: string;
  readonly op: string;
  readonly macs: number;
  readonly headroomBits: number; // bits left above the largest reachable accumulator: of 31 where all fit int32, else of 53 (wide path)
  readonly channels: number;
  readonly epilogues: Readonly<Record<string, number>>; // channels per epilogue: "fixed64", "double", "nearTie", …
}

/** An operator and how its nodes run: nodes per form ("dot", "table", …; "island": in float32; "refused": only in the simulation). */
export interface OperatorReport {
  readonly op: string;
  readonly count: number;
  readonly forms: Readonly<Record<string, number>>;
}

export interface RefusedReport {
  readonly node: string;
  readonly message: string;
}

/** What a bias encoding is used for by the chosen target (docs/numerics.md). */
export interface BiasReport {
  readonly tensor: string;
  readonly bits: number;
  readonly use: "applied" | "accumulator" | "ignored";
  readonly reason: string;
}

export interface InspectReport {
  readonly schema: "bitexact-inspect/1";
  readonly target: Target;
  readonly targetFrom: "option" | "qoperator" | "default"; // qoperator: the model's operators compute on codes, as ONNX Runtime writes them
  readonly variant: Variant;
  readonly inputs: readonly PortReport[];
  readonly outputs: readonly PortReport[];
  readonly operators: readonly OperatorReport[]; // most frequent first
  readonly refused: readonly RefusedReport[]; // nodes that keep a session from being created; then nothing below is planned
  readonly coverage: {
    readonly activations: { readonly encoded: number; readonly total: number };
    readonly parameters: { readonly encoded: number; readonly total: number };
  };
  readonly unmatched: {
    readonly encodings: readonly string[]; // names in the encodings file that no value of the model has
    readonly values: readonly string[]; // values of the model that no encoding reaches
  };
  readonly clusters: readonly GroupReport[]; // integer layers of two or more operators
  readonly islands: readonly GroupReport[];
  readonly biases: readonly BiasReport[];
  readonly macs: number; // one run
  readonly weightBytes: { readonly before: number; readonly after: number }; // as float32 · packed in memory
  readonly constantBytes: number; // args, tables, and weights of layers whose kernels depend on symbolic dimensions
  readonly arenaBytes: number;
  readonly dots: readonly DotReport[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}
