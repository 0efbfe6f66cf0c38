/** Runs a layer's nodes on real numbers, in node order at one precision, with running error bounds on request. */
import { assert } from "../errors.ts";
import { type Graph, isConstant, type Node, type ValueId, valueNamed } from "../graph/graph.ts";
import { roundToHalf } from "../numerics/half.ts";
import type { Numbers, Precision } from "../ops/op.ts";
import { isFloatType } from "../tensor/dtype.ts";
import { levelsOf } from "./codes.ts";
import { dequantizeCodes } from "./dequantizeCodes.ts";
import type { Codes, Layer } from "./form.ts";
import { activationEncoding, constantNumbers, type Resolved, resolve } from "./operands.ts";
import { quantizeNumbers } from "./quantizeNumbers.ts";
import type { Quotient } from "./quotient.ts";
import { applyMovement } from "./regions.ts";

/** A value as the layer computed it. */
export interface Computed {
  readonly real: Numbers; // before its own quantization
  readonly codes: Numbers | null; // where it is encoded
  readonly error: Numbers | null; // absolute bound on a source's `real`; null: none was asked for, or exact
}

export interface EvaluateOptions {
  readonly precision: Precision;
  /** How encoded values become codes; default exact. */
  readonly quotient?: Quotient;
  /** Unit roundoff whose running error is tracked; absent: no error arrays. */
  readonly unit?: number;
  /** Computes a node in a way of its own; null: the operator's float. */
  readonly override?: (node: Node, codes: (id: ValueId) => Numbers) => Numbers | null;
}

interface Operand {
  readonly real: Numbers;
  readonly error: Numbers | null;
}

/** Every value the layer's nodes write, in node order. An encoded value that is read inside the layer is read as its code says. */
export function evaluate(layer: Layer, graph: Graph, inputs: Codes, options: EvaluateOptions): Map<ValueId, Computed> {
  const computed = new Map<ValueId, Computed>();
  const operands = new Map<ValueId, Operand>();
  const codesOf = (id: ValueId): Numbers => {
    const codes = computed.get(id)?.codes ?? inputs.get(id);
    assert(codes !== undefined, `no codes of '${id}'`);
    return codes;
  };
  const read = (id: ValueId): Operand => {
    let operand = operands.get(id);
    if (!operand) operands.set(id, (operand = readOperand(id, graph, inputs, computed, options)));
    return operand;
  };
  for (const node of layer.nodes) {
    const resolved = resolve(node, graph);
    assert(resolved !== null, `operator '${node.op}' is not known`);
    const args = node.inputs.map((id) => (id === "" ? null : read(id)));
    const reals = args.map((arg) => arg?.real ?? null);
    const own = options.override?.(node, codesOf) ?? null;
    const types = resolved.infos.map((info) => info?.type ?? null);
    const outs = own ? [own] : resolved.def.float(reals, resolved.attrs, options.precision, types);
    const errors =
      options.unit === undefined
        ? null
        : nodeErrors(
            resolved,
            reals,
            args.map((arg) => arg?.error ?? null),
            outs,
            options.unit,
          );
    node.outputs.forEach((id, i) => {
      if (id !== "") computed.set(id, settle(graph, id, outs[i]!, errors?.[i] ?? null, options));
    });
  }
  return computed;
}

function settle(graph: Graph, id: ValueId, out: Numbers, error: Numbers | null, options: EvaluateOptions): Computed {
  const value = valueNamed(graph, id);
  const real = value.half && isFloatType(value.type) ? { dims: out.dims, data: out.data.map(roundToHalf) } : out;
  const encoding = activationEncoding(graph, id);
  const codes = encoding ? quantizeNumbers(real, levelsOf(encoding), options.quotient) : null;
  return { real, codes, error: value.half && error && options.unit !== undefined ? addRelative(error, real, 2 ** -11) : error };
}

function readOperand(
  id: ValueId,
  graph: Graph,
  inputs: Codes,
  computed: ReadonlyMap<ValueId, Computed>,
  options: EvaluateOptions,
): Operand {
  const { precision, unit } = options;
  if (isConstant(graph, id)) {
    const real = constantNumbers(graph, id, precision);
    const rounded = unit !== undefined && valueNamed(graph, id).encoding !== undefined;
    return { real, error: rounded ? addRelative(null, real, unit) : null };
  }
  const encoding = activationEncoding(graph, id);
  const made = computed.get(id);
  if (encoding) {
    const codes = made?.codes ?? inputs.get(id);
    assert(codes !== undefined, `no codes of '${id}'`);
    const real = dequantizeCodes(codes, encoding, valueNamed(graph, id).type === "float64" ? "f64" : precision);
    return { real, error: unit === undefined ? null : addRelative(null, real, unit) };
  }
  if (made) return { real: made.real, error: made.error };
  const given = inputs.get(id);
  assert(given !== undefined, `no elements of '${id}'`);
  const value = valueNamed(graph, id);
  if (!isFloatType(value.type)) return { real: given, error: null };
  const data = precision === "f32" && value.type !== "float64" ? Float32Array.from(given.data) : Float64Array.from(given.data);
  return { real: { dims: given.dims, data: value.half ? data.map(roundToHalf) : data }, error: null };
}

function addRelative(error: Numbers | null, real: Numbers, unit: number): Numbers {
  const data = new Float64Array(real.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (error?.data[i] ?? 0) + unit * Math.abs(real.data[i]!);
  return { dims: real.dims, data };
}

/** The operator's own rule; moved errors for data movement; unbounded for an operator that declares neither. */
function nodeErrors(
  resolved: Resolved,
  reals: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  outs: readonly Numbers[],
  unit: number,
): (Numbers | null)[] {
  const { def, attrs, infos, outShapes } = resolved;
  if (def.error) return def.error(reals, errors, outs, attrs, unit);
  const movements = def.traits.movement?.(infos, outShapes, attrs);
  if (!movements) return outs.map((out) => ({ dims: out.dims, data: new Float64Array(out.data.length).fill(Number.POSITIVE_INFINITY) }));
  const sources = reals.map((real, i) => (real ? (errors[i]?.data ?? new Float64Array(real.data.length)) : null));
  return movements.map((movement, i) => {
    const data = new Float64Array(outs[i]!.data.length);
    applyMovement(movement, sources, data, 0);
    return { dims: outs[i]!.dims, data };
  });
}
