/** Feeds: the tensors a run is given, checked against the inputs they are for. */
import { type Encoding, sameEncoding } from "../encodings/encoding.ts";
import { type Issue, ModelError } from "../errors.ts";
import { isOpen, type Shape, type Value } from "../graph/graph.ts";
import { arrayType, type ElementType, type TypedArray } from "../tensor/dtype.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkedFeeds, feedFlaw, nameList } from "./arguments.ts";

export type Feeds = Record<string, Tensor>;
export type Shapes = Record<string, readonly number[]>;

/** What feeds are checked against of an input. */
export type InputValue = Pick<Value, "id" | "type" | "encoding" | "shape">;

/** An input as the model declares it. */
export interface InputSpec {
  readonly value: InputValue;
  readonly bound: number | undefined; // of indices: −bound ≤ index < bound
}

/** What one input takes at the shape a plan was made for. */
export interface FeedRule {
  readonly value: InputValue;
  readonly shape: Shape;
  readonly size: number;
  readonly bound: number | undefined; // of indices: −bound ≤ index < bound
}

/** Rules of the inputs, `shapes` being their static ones in order. */
export function feedRules(inputs: readonly InputSpec[], shapes: readonly Shape[]): FeedRule[] {
  return inputs.map(({ value, bound }, i) => ({ value, shape: shapes[i]!, size: sizeOf(shapes[i]!), bound }));
}

/** Whether the feeds are exactly what the rules ask for. Allocates nothing; where it says no, checkFeeds says why. */
export function feedsFit(rules: readonly FeedRule[], feeds: Feeds): boolean {
  if (typeof feeds !== "object" || feeds === null) return false;
  let names = 0;
  for (const _ in feeds) names++;
  if (names !== rules.length) return false;
  for (const rule of rules) if (!Object.hasOwn(feeds, rule.value.id) || !feedFits(rule, feeds[rule.value.id] as Tensor)) return false;
  return true;
}

function feedFits({ value, shape, size, bound }: FeedRule, fed: Tensor): boolean {
  if (typeof fed !== "object" || fed === null) return false;
  const { type, data, encoding } = fed;
  const coded = value.encoding !== undefined && type === value.encoding.type;
  if (!coded && type !== value.type && !(value.encoding && type === "float32")) return false;
  if (!elementsFit(fed, type, size, shape)) return false;
  if (encoding && !(coded && encodingFits(encoding, value.encoding!))) return false;
  return (!coded || codesFit(type, data)) && (bound === undefined || foreignIndex(data, bound) === undefined);
}

/** Whether the tensor has `size` elements of `type` and this shape, whatever was done to it since it was made. */
export function elementsFit({ data, dims }: Tensor, type: ElementType, size: number, shape: Shape): boolean {
  if (!(data instanceof arrayType(type)) || data.length !== size || !Array.isArray(dims) || dims.length !== shape.length) return false;
  for (let i = 0; i < shape.length; i++) if (dims[i] !== shape[i]) return false;
  return true;
}

/** Whether the encoding of codes is the one expected, without trusting its fields. */
export function encodingFits(found: Encoding, expected: Encoding): boolean {
  if (found === expected) return true;
  return found.scale instanceof Float32Array && found.zeroPoint instanceof Int32Array && sameEncoding(found, expected);
}

/** Sub-byte codes travel in whole bytes, which hold more than the grid does. */
const SUB_BYTE: Partial<Record<ElementType, readonly [min: number, max: number]>> = {
  int2: [-2, 1],
  uint2: [0, 3],
  int4: [-8, 7],
  uint4: [0, 15],
};

/** Whether every code lies on the grid of its type. */
function codesFit(type: ElementType, codes: TypedArray): boolean {
  const range = SUB_BYTE[type];
  if (range === undefined) return true;
  const [min, max] = range;
  for (let i = 0; i < codes.length; i++) if (codes[i]! < min || codes[i]! > max) return false;
  return true;
}

/** The first index outside [−bound, bound). */
function foreignIndex(indices: TypedArray, bound: number): number | undefined {
  for (let i = 0; i < indices.length; i++) {
    const index = Number(indices[i]);
    if (index < -bound || index >= bound) return index;
  }
  return undefined;
}

/** Whether a tensor of this type may be fed to the value. */
function accepts({ encoding, type }: InputValue, tensor: Tensor): boolean {
  return tensor.type === type || (encoding !== undefined && (tensor.type === "float32" || tensor.type === encoding.type));
}

/** Checks types and shapes of all feeds; returns the concrete shapes that bind symbolic inputs (none for a static model).
 *  throws ModelError "run/…" listing every issue. */
export function checkFeeds(inputs: readonly InputSpec[], feeds: Feeds): Shapes {
  const issues: Issue[] = [];
  const shapes: Shapes = {};
  const names = inputs.map(({ value }) => value.id);
  for (const name of Object.keys(checkedFeeds(feeds))) {
    if (names.includes(name)) continue;
    issues.push({ code: "run/unknown-input", tensor: name, message: `input '${name}': the model's inputs are ${nameList(names)}` });
  }
  for (const { value, bound } of inputs) {
    const tensor = Object.hasOwn(feeds, value.id) ? feeds[value.id] : undefined;
    issues.push(...feedIssues(value, tensor, bound));
    if (tensor && isOpen(value)) shapes[value.id] = tensor.dims;
  }
  if (issues.length > 0) throw new ModelError(issues);
  return shapes;
}

function feedIssues(value: InputValue, tensor: Tensor | undefined, bound: number | undefined): Issue[] {
  const { id, shape: declared } = value;
  const issue = (code: string, message: string): Issue => ({ code, tensor: id, message: `input '${id}'${message}` });
  if (!tensor) return [issue("run/missing-input", " was not given")];
  const flaw = feedFlaw(value, tensor);
  if (flaw) return [issue("run/input-tensor", `: ${flaw}`)];
  const issues: Issue[] = [];
  const expected = `expected ${expectedTypes(value.type, value.encoding?.type)}${declared ? ` ${formatShape(declared)}` : ""}`;
  if (!accepts(value, tensor)) issues.push(issue("run/input-type", `: found ${tensor.type}, ${expected}`));
  else if (value.encoding && !codesFit(tensor.type, tensor.data))
    issues.push(issue("run/input-codes", `: codes outside ${tensor.type}, ${expected}`));
  const fits =
    !declared || (declared.length === tensor.dims.length && declared.every((dim, i) => typeof dim === "string" || dim === tensor.dims[i]));
  if (!fits) issues.push(issue("run/input-shape", `: found shape ${formatShape(tensor.dims)}, ${expected}`));
  const foreign = bound === undefined ? undefined : foreignIndex(tensor.data, bound);
  if (foreign !== undefined) issues.push(issue("run/index-range", `: index ${foreign}, expected one in [${-bound!}, ${bound! - 1}]`));
  return issues;
}

function expectedTypes(type: ElementType, grid: ElementType | undefined): string {
  return grid ? `${type === "float16" ? "float16, " : ""}float32 or ${grid}` : type;
}
