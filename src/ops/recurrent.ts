/** RNN, GRU and LSTM: attributes, shapes and traits. Source: the ONNX operators of opset 7 to 22; arithmetic in recurrentFloat.ts. */
import { attributeError, flag, int, readAttrs } from "./attributes.ts";
import { optionalFloat, optionalFloats, optionalInt } from "./attributesOther.ts";
import { required, requireFloat, requireRank, shapeError, typeError } from "./checks.ts";
import { defineOp, type OpDef, type TypeInfo } from "./op.ts";
import { recurrentBound } from "./recurrentBound.ts";
import { recurrentFloat } from "./recurrentFloat.ts";
import { gateFunctions } from "./recurrentFunctions.ts";
import { extentsOf, type RecurrentAttrs, type RecurrentKind } from "./recurrentShape.ts";
import { erased } from "./registry.ts";

const DEFAULTS: Readonly<Record<RecurrentKind, readonly string[]>> = {
  RNN: ["Tanh"],
  GRU: ["Sigmoid", "Tanh"],
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
};

function parse(kind: RecurrentKind, attrs: Parameters<OpDef["parse"]>[0], opset: number): RecurrentAttrs {
  const schema = {
    activation_alpha: optionalFloats(),
    activation_beta: optionalFloats(),
    activations: textsOrNothing,
    clip: optionalFloat(),
    direction: direction,
    hidden_size: optionalInt(),
    ...(opset >= 14 ? { layout: int(0) } : {}),
    ...(kind === "LSTM" ? { input_forget: flag(false) } : {}),
    ...(kind === "GRU" ? { linear_before_reset: flag(false) } : {}),
  };
  const given = readAttrs(attrs, schema) as Readonly<Record<string, unknown>> & {
    readonly activation_alpha: readonly number[] | undefined;
    readonly activation_beta: readonly number[] | undefined;
    readonly activations: readonly string[] | undefined;
    readonly clip: number | undefined;
    readonly hidden_size: number | undefined;
  };
  const { layout = 0 } = given;
  if (layout !== 0 && layout !== 1) throw attributeError("layout", `found ${String(layout)}, expected 0 or 1`);
  const directions = given.direction === "bidirectional" ? 2 : 1;
  const each = DEFAULTS[kind].length;
  const names = given.activations ?? Array.from({ length: directions }, () => DEFAULTS[kind]).flat();
  if (names.length !== directions * each)
    throw attributeError("activations", `found ${names.length} functions, expected ${each} for each of ${directions} directions`);
  const functions = gateFunctions(names, given.activation_alpha ?? [], given.activation_beta ?? []);
  const clip = given.clip ?? Infinity;
  return {
    kind,
    hidden: given.hidden_size,
    directions,
    backward: given.direction === "reverse",
    functions: Array.from({ length: directions }, (_, d) => functions.slice(d * each, (d + 1) * each)),
    clip: clip > 0 ? clip : Infinity,
    batchFirst: layout === 1,
    inputForget: given.input_forget === true,
    linearBeforeReset: given.linear_before_reset === true,
  };
}

function textsOrNothing(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
  throw attributeError(name, "expected a list of function names");
}

function direction(value: unknown, name: string): string {
  const found = value ?? "forward";
  if (found === "forward" || found === "reverse" || found === "bidirectional") return found;
  throw attributeError(name, `found '${String(found)}', expected forward, reverse or bidirectional`);
}

function requireDims(inputs: readonly (TypeInfo | null)[], index: number, dims: readonly number[], what: string): void {
  const info = inputs[index];
  if (!info) return;
  if (info.dims.length === dims.length && info.dims.every((dim, i) => dim === dims[i])) return;
  throw shapeError(`input ${index} (${what}) has shape [${info.dims.join(", ")}], expected [${dims.join(", ")}]`);
}

function infer(inputs: readonly (TypeInfo | null)[], attrs: RecurrentAttrs): ReturnType<OpDef["infer"]> {
  const x = required(inputs, 0);
  const r = required(inputs, 2);
  requireFloat(x);
  requireRank(x, 0, 3);
  requireRank(r, 2, 3);
  const { steps, batch, inputs: width, hidden, gates } = extentsOf(x.dims, r.dims, attrs);
  const { directions } = attrs;
  if (attrs.hidden !== undefined && attrs.hidden !== hidden)
    throw shapeError(`input 2 (R) has shape [${r.dims.join(", ")}], expected a last extent of hidden_size ${attrs.hidden}`);
  const state = attrs.batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  requireDims(inputs, 1, [directions, gates * hidden, width], "W");
  requireDims(inputs, 2, [directions, gates * hidden, hidden], "R");
  requireDims(inputs, 3, [directions, 2 * gates * hidden], "B");
  requireDims(inputs, 4, [batch], "sequence_lens");
  requireDims(inputs, 5, state, "initial_h");
  requireDims(inputs, 6, state, "initial_c");
  requireDims(inputs, 7, [directions, 3 * hidden], "P");
  for (const [i, info] of inputs.entries()) if (info && i !== 4) requireFloat(info, i);
  const lengths = inputs[4];
  if (lengths && lengths.type !== "int32") throw typeError(`input 4 has type ${lengths.type}, expected int32`);
  const bad = lengths?.constant?.find((length) => length < 0 || length > steps);
  if (bad !== undefined) throw shapeError(`input 4 (sequence_lens) holds ${bad}, expected lengths of 0 to ${steps}`);
  const all = attrs.batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  const outputs = [all, state, ...(attrs.kind === "LSTM" ? [state] : [])];
  return outputs.map((dims) => ({ type: x.type, dims }));
}

function defineRecurrent(kind: RecurrentKind): OpDef {
  const lstm = kind === "LSTM";
  return erased(
    defineOp<RecurrentAttrs>({
      type: kind,
      since: 7,
      arity: { inputs: [3, lstm ? 8 : 6], outputs: [0, lstm ? 3 : 2] },
      parse: (attrs, opset) => parse(kind, attrs, opset),
      infer,
      float: recurrentFloat,
      error: recurrentBound,
      traits: {
        macs: (inputs, _outputs, attrs) => {
          const { steps, batch, inputs: width, hidden, gates } = extentsOf(required(inputs, 0).dims, required(inputs, 2).dims, attrs);
          return attrs.directions * steps * batch * gates * hidden * (width + hidden);
        },
      },
    }),
  );
}

export const RECURRENTS: readonly OpDef[] = [defineRecurrent("RNN"), defineRecurrent("GRU"), defineRecurrent("LSTM")];
