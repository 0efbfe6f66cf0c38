/** Source: the values a runtime is compared with — reference, simulation, or a recording — one sample at a time. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { type Issue, ModelError, modelError } from "../errors.ts";
import type { ValueId } from "../graph/graph.ts";
import { shapeOf, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import type { Numbers } from "../ops/op.ts";
import type { Prepared } from "../passes/prepare.ts";
import type { Target } from "../plan/plan.ts";
import { executeReference } from "../reference/execute.ts";
import { quantizeNumbers, type Rounding } from "../sim/qdq.ts";
import { simulateGraph } from "../sim/simulate.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

export type Recording = Readonly<Record<string, Tensor>>;
export type Against = "reference" | "sim-f64" | "sim-f32" | "recorded";

/** Codes (encoded) and plain numbers (others) of the source, and the names it really has (the rest was derived). */
export interface SourceValues {
  readonly values: Map<ValueId, Numbers>;
  readonly has: (id: ValueId) => boolean;
}

export interface SourceInput {
  readonly prepared: Prepared;
  readonly entered: ReadonlyMap<ValueId, Numbers>; // graph inputs: codes where encoded
  readonly plain: ReadonlyMap<ValueId, Numbers>; // graph inputs as plain numbers
  readonly target: Target;
}

export function referenceSource({ prepared, entered, target }: SourceInput): SourceValues {
  const values = executeReference(prepared, entered, target);
  return { values, has: () => true };
}

export function simulatedSource(input: SourceInput, precision: "f64" | "f32", rounding: Rounding): SourceValues {
  const simulated = simulateGraph(input.prepared.graph, input.plain, { precision, rounding });
  const values = new Map<ValueId, Numbers>();
  for (const [id, { numbers, codes }] of simulated) values.set(id, codes ? { dims: numbers.dims, data: codes } : numbers);
  return { values, has: () => true };
}

/** Recorded values where there are any; what is missing between them is computed by the reference from what is there.
 *  An input that was not recorded is quantized as the recorded simulation does it: in float32, by its rounding rule. */
export function recordedSource({ prepared, entered, plain, target }: SourceInput, recording: Recording, rounding: Rounding): SourceValues {
  const { graph } = prepared;
  const values = new Map<ValueId, Numbers>();
  const recorded = (id: ValueId): Numbers | undefined => {
    const tensor = Object.hasOwn(recording, id) ? recording[id] : undefined;
    return tensor && isActivationEncoding(valueNamed(graph, id))
      ? recordedCodes(id, tensor, valueNamed(graph, id).encoding!, shapeOf(graph, id))
      : undefined;
  };
  const enter = (id: ValueId): Numbers => {
    const { encoding } = valueNamed(graph, id);
    const numbers = plain.get(id)!;
    if (!encoding) return entered.get(id)!;
    return { dims: numbers.dims, data: quantizeNumbers(numbers, encoding, "f32", rounding) };
  };
  for (const id of graph.inputs) values.set(id, recorded(id) ?? enter(id));
  for (const { layer, form, data } of prepared.layers) {
    const known = layer.outputs.map(recorded);
    const derived = known.every((codes) => codes !== undefined) ? [] : form.reference(data, layer, graph, values, target);
    layer.outputs.forEach((id, i) => {
      values.set(id, known[i] ?? derived[i]!);
    });
  }
  return { values, has: (id) => Object.hasOwn(recording, id) };
}

/** Codes of a recorded tensor: integers as they are, float32 as dequantized values on the grid.
 *  throws ModelError "recording/…" when it does not fit the value. */
export function recordedCodes(id: ValueId, tensor: Tensor, encoding: Encoding, shape: readonly number[]): Numbers {
  const { qmin, qmax } = gridOf(encoding.type);
  if (tensor.data.length !== sizeOf(shape)) {
    const times = tensor.data.length / sizeOf(shape);
    const hint = Number.isInteger(times) && times > 1 ? `; if it holds ${times} samples, give ${times} inputs` : "";
    const message = `recorded '${id}': shape [${tensor.dims.join(", ")}] is ${tensor.data.length} elements, the model's [${shape.join(", ")}] has ${sizeOf(shape)}${hint}`;
    throw modelError("recording/shape", message, { tensor: id });
  }
  const scale = encoding.scale[0]!;
  const zero = encoding.zeroPoint[0]!;
  const float = tensor.type === "float32" || tensor.type === "float64";
  const data = Float64Array.from(tensor.data as ArrayLike<number>, (x) => (float ? Math.round(x / scale) + zero : Number(x)));
  const bad = data.findIndex((code) => !(code >= qmin && code <= qmax));
  if (bad >= 0) {
    const message = `recorded '${id}': element ${bad} is code ${data[bad]}, outside ${encoding.type} [${qmin}, ${qmax}]; was it recorded with these encodings?`;
    throw modelError("recording/range", message, { tensor: id });
  }
  return { dims: shape, data };
}

/** Names of a recording that the model's encoded values have, and those it lacks.
 *  throws ModelError when it holds no layer's output: nothing would be compared, and nothing must not be called exact. */
export function matchRecording(prepared: Prepared, recording: Recording): { matched: string[]; unmatched: string[] } {
  const names = Object.keys(recording);
  const known = (name: string): boolean => {
    const value = prepared.graph.values.get(name);
    return value !== undefined && (value.data !== undefined || isActivationEncoding(value));
  };
  const matched = names.filter(known);
  const outputs = new Set(prepared.layers.flatMap(({ layer }) => layer.outputs));
  if (!matched.some((name) => outputs.has(name))) {
    const issue: Issue = {
      code: "recording/no-match",
      message: `the recording holds ${names.length} tensors (${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}), none is an encoded output of a layer; was it recorded from this model?`,
    };
    throw new ModelError([issue]);
  }
  return { matched, unmatched: names.filter((name) => !known(name)) };
}
