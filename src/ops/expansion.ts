/** Operators that are defined by other operators: what their definitions have in common, and how their expansions are written down. */
import { modelError } from "../errors.ts";
import type { Attr, Attrs, Shape, Value, ValueId } from "../graph/graph.ts";
import { integerType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { type Arity, defineOp, type ExpandCall, type Expansion, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";

/** Q/DQ of this domain read the newest opset's attributes, whatever the graph's opset. */
export const CONTRIB = "com.microsoft";

interface NodeParts {
  readonly attrs?: Readonly<Record<string, Attr>> | Attrs;
  readonly domain?: string;
  readonly output?: ValueId;
}

/** What the elements of a constant that holds codes are. */
type Coded = Required<Pick<Value, "encoding" | "packed">>;

/** An expansion being written: nodes in topological order. */
export interface Draft {
  /** A new constant. */
  constant(suffix: string, data: TypedArray, dims: Shape, type: Value["type"], coded?: Coded): ValueId;
  /** A node; returns its output. The node named "" takes the id of the expanded one. */
  node(suffix: string, op: string, inputs: readonly ValueId[], parts?: NodeParts): ValueId;
  done(): Expansion;
}

export function draft(call: ExpandCall): Draft {
  const constants: Value[] = [];
  const nodes: Expansion["nodes"][number][] = [];
  return {
    constant(suffix, data, dims, type, coded) {
      const id = call.name(suffix);
      constants.push({ id, type, shape: dims, data, ...(coded ? { coded: true, ...coded } : {}) });
      return id;
    },
    node(suffix, op, inputs, parts = {}) {
      const { attrs = {}, domain = "", output = call.name(suffix) } = parts;
      const id = suffix === "" ? call.node.id : `${call.node.id}/${suffix}`;
      const all = attrs instanceof Map ? (attrs as Attrs) : new Map(Object.entries(attrs as Record<string, Attr>));
      nodes.push({ id, op, domain, attrs: all, inputs, outputs: [output] });
      return output;
    },
    done: () => ({ constants, nodes }),
  };
}

interface ExpandingSpec<A> {
  readonly type: string;
  readonly domain?: string;
  readonly since?: number;
  readonly inputs: Arity["inputs"];
  readonly outputs?: Arity["outputs"]; // default one
  readonly onCodes?: boolean;
  readonly parse: OpDef<A>["parse"];
  readonly expand: (call: ExpandCall<A>) => Expansion;
}

/** An operator that is only ever expanded. */
export function defineExpanding<A>({ type, domain, since, inputs, outputs = [1, 1], onCodes, parse, expand }: ExpandingSpec<A>): OpDef {
  const missing = (): never => {
    throw modelError("op/expanded", `${type} is read as other operators when a model is loaded; it does not run itself`);
  };
  return erased(
    defineOp<A>({
      type,
      ...(domain === undefined ? {} : { domain }),
      ...(since === undefined ? {} : { since }),
      arity: { inputs, outputs },
      parse,
      infer: missing,
      float: missing,
      traits: { expand, ...(onCodes ? { onCodes } : {}) },
    }),
  );
}

/** The attributes as they are: the operator they are handed to reads them. */
export function anyAttrs(attrs: Attrs): Attrs {
  return attrs;
}

/** The name of input `index`, "" when it is left out. */
export function inputOf(call: ExpandCall, index: number): ValueId {
  return call.node.inputs[index] ?? "";
}

/** A constant input. throws ModelError "op/not-constant". */
export function constantInput(call: ExpandCall, index: number, what: string): Value & { readonly data: TypedArray } {
  const id = inputOf(call, index);
  const value = call.value(id);
  if (value?.data) return value as Value & { readonly data: TypedArray };
  const message = `input ${index} (${what}) is ${id === "" ? "left out" : `computed ('${id}')`}, expected a constant; quantize the model statically`;
  throw modelError("op/not-constant", message);
}

/** Elements of a constant scale or zero point as numbers. */
export function numbersOf({ data }: { readonly data: TypedArray }): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** DequantizeLinear of input `at`, its scale and zero point the next two. `axis`: along which a scale of several elements lies.
 *  With computed scales it stays an operator of the graph. */
export function dequantizeInput(to: Draft, call: ExpandCall, at: number, axis = 0): ValueId {
  const scale = inputOf(call, at + 1);
  const zero = inputOf(call, at + 2) === "" ? [] : [zeroPoint(to, call, at + 2, call.value(scale))];
  const inputs = [inputOf(call, at), scale, ...zero];
  return to.node(`dequantize${at}`, "DequantizeLinear", inputs, { domain: CONTRIB, attrs: { axis } });
}

/** The zero point, repeated where the scale has more elements. */
function zeroPoint(to: Draft, call: ExpandCall, at: number, scale: Value | undefined): ValueId {
  const zero = call.value(inputOf(call, at));
  if (!scale?.data || zero?.data?.length !== 1 || scale.data.length === 1) return inputOf(call, at);
  const all = newArray(zero.type, scale.data.length) as Int8Array;
  return to.constant(`zero${at}`, all.fill(Number(zero.data[0])), scale.shape as Shape, zero.type);
}

/** QuantizeLinear of the real result by the inputs `at` (scale) and `at + 1` (zero point). */
export function quantizeResult(to: Draft, call: ExpandCall, at: number): Expansion {
  const zero = inputOf(call, at + 1) || noZeroPoint(to, call, call.value(inputOf(call, at)));
  to.node("quantize", "QuantizeLinear", [call.real, inputOf(call, at), zero], { domain: CONTRIB, output: call.codes });
  return to.done();
}

/** Zero, of the type that the other zero points or the first operand have. */
function noZeroPoint(to: Draft, call: ExpandCall, scale: Value | undefined): ValueId {
  const types = call.node.inputs.map((id) => call.value(id)?.type);
  const type = types.find((found) => found && found !== "bool" && (integerType(found)?.bits ?? 64) <= 16) ?? "uint8";
  const zero = integerType(type)?.signed ? new Int8Array(1) : new Uint8Array(1);
  return to.constant("zero", zero, (scale?.shape as Shape | null | undefined) ?? [], type === "int8" ? "int8" : "uint8");
}
