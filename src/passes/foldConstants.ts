/** Folds nodes whose inputs are known. */
import { modelError } from "../errors.ts";
import type { Node, Value, ValueId } from "../graph/graph.ts";
import type { Numbers, OpDef, TypeInfo } from "../ops/op.ts";
import { integerType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { carryEncoding } from "./carryEncoding.ts";

/** Folded results above this many elements, and above what their inputs hold, stay nodes (ConstantOfShape bombs). */
const FOLD_LIMIT = 1 << 23;

/** Elements of `data` as the typed array of `type`. */
function toTyped(data: Float64Array | Float32Array, type: Value["type"]): TypedArray {
  if (type === "float32" || type === "float16") return Float32Array.from(data);
  const out = newArray(type, data.length);
  const bad = integerType(type) ? data.findIndex((x) => !Number.isFinite(x)) : -1;
  if (bad >= 0) throw modelError("op/not-finite", `element ${bad} of the constant result is ${data[bad]}, which ${type} does not hold`);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) out[i] = BigInt(Math.trunc(data[i]!));
  } else for (let i = 0; i < data.length; i++) out[i] = data[i]!;
  return out;
}

function foldLimit(inputs: readonly (TypeInfo | null)[]): number {
  return Math.max(FOLD_LIMIT, ...inputs.map((input) => (input ? sizeOf(input.dims) : 0)));
}

/** Whether what an operator folds from `value` follows from shapes that a run binds. */
function followsShapes(value: Value | undefined, op: OpDef): boolean {
  return value !== undefined && (value.shapeBound === true || (value.data === undefined && op.traits.shapeOnly === true));
}

/** Whether results of these types may be folded. */
export function isFoldable(types: readonly TypeInfo[], inputs: readonly (TypeInfo | null)[]): boolean {
  return types.reduce((sum, type) => sum + sizeOf(type.dims), 0) <= foldLimit(inputs);
}

/** Computes the node and sets its outputs as constants. */
export function foldNode(
  node: Node,
  op: OpDef,
  attrs: unknown,
  inputs: readonly (TypeInfo | null)[],
  types: readonly TypeInfo[],
  values: Map<ValueId, Value>,
): void {
  const operands = inputs.map((input): Numbers | null => input && { dims: input.dims, data: input.constant ?? new Float32Array(0) });
  const results = op.float(
    operands,
    attrs,
    "f32",
    inputs.map((input) => input?.type ?? null),
  );
  const shapeBound = node.inputs.some((id) => followsShapes(values.get(id), op));
  node.outputs.forEach((id, i) => {
    if (id === "") return;
    const { type, dims } = types[i]!;
    const data = toTyped(results[i]!.data, type);
    const encoding = values.get(id)?.encoding ?? carryEncoding(op, attrs, node, i, values);
    values.set(id, {
      ...values.get(id),
      id,
      type,
      shape: dims,
      data,
      ...(encoding ? { encoding } : {}),
      ...(shapeBound ? { shapeBound } : {}),
    });
  });
}
