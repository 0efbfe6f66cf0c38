/** GraphBuilder: graphs written by hand, for tests, bundled models and importers. */

import type { Encoding } from "../encodings/encoding.ts";
import { type ElementType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Attr, Graph, Node, OpenShape, Shape, Value, ValueId } from "./graph.ts";
import { validateGraph } from "./issues.ts";
import { uniqueNodeIds } from "./validate.ts";

const LATEST_OPSET = 21;

export interface NodeOptions {
  readonly id?: string;
  readonly domain?: string;
  readonly outputs?: readonly ValueId[]; // default: one output named after the node
  readonly attrs?: Readonly<Record<string, Attr>>;
}

/** Collects inputs, constants and nodes in order; `build` checks the result. Names are values' names, "" an absent input. */
export class GraphBuilder {
  readonly #name: string;
  readonly #opsets: Map<string, number>;
  readonly #nodes: Node[] = [];
  readonly #values = new Map<ValueId, Value>();
  readonly #inputs: ValueId[] = [];
  readonly #outputs: ValueId[] = [];

  constructor(name = "graph", opset: number = LATEST_OPSET) {
    this.#name = name;
    this.#opsets = new Map([["", opset]]);
  }

  /** Imports a further operator domain. */
  domain(domain: string, version: number): this {
    this.#opsets.set(domain, version);
    return this;
  }

  input(id: ValueId, shape: OpenShape, type: ElementType = "float32"): ValueId {
    this.#inputs.push(id);
    return this.#put({ id, type, shape });
  }

  /** A constant; plain numbers are converted to `type`. */
  constant(id: ValueId, data: TypedArray | readonly number[], dims: Shape, type: ElementType = "float32"): ValueId {
    return this.#put({ id, type, shape: dims, data: Array.isArray(data) ? fromNumbers(type, data) : (data as TypedArray) });
  }

  /** Adds a node and returns its first output. */
  node(op: string, inputs: readonly ValueId[], options: NodeOptions = {}): ValueId {
    const id = options.id ?? `${op}_${this.#nodes.length}`;
    const outputs = options.outputs ?? [id];
    const attrs = new Map(Object.entries(options.attrs ?? {}));
    this.#nodes.push({ id, op, domain: options.domain ?? "", attrs, inputs, outputs });
    for (const output of outputs) if (output !== "") this.#put({ id: output, type: "float32", shape: null });
    return outputs[0] ?? "";
  }

  output(...ids: ValueId[]): this {
    this.#outputs.push(...ids);
    return this;
  }

  /** Declares type and shape of a value that a node makes. */
  describe(id: ValueId, shape: OpenShape | null, type: ElementType = "float32"): this {
    return this.#change(id, { shape, type });
  }

  encoding(id: ValueId, encoding: Encoding): this {
    return this.#change(id, { encoding });
  }

  /** Marks a value as rounded to binary16. */
  half(id: ValueId): this {
    return this.#change(id, { half: true });
  }

  /** throws ModelError "graph/…" with everything that is inconsistent. */
  build(): Graph {
    const graph = {
      name: this.#name,
      opsets: new Map(this.#opsets),
      nodes: uniqueNodeIds(this.#nodes),
      values: new Map(this.#values),
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
    };
    validateGraph(graph);
    return graph;
  }

  #put(value: Value): ValueId {
    if (this.#values.has(value.id)) throw new Error(`internal: value '${value.id}' is built twice`);
    this.#values.set(value.id, value);
    return value.id;
  }

  #change(id: ValueId, fields: Partial<Value>): this {
    const value = this.#values.get(id);
    if (!value) throw new Error(`internal: no value '${id}' to describe`);
    this.#values.set(id, { ...value, ...fields });
    return this;
  }
}

function fromNumbers(type: ElementType, numbers: readonly number[]): TypedArray {
  const array = newArray(type, numbers.length);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array.set(numbers.map(BigInt));
  else array.set(numbers);
  return array;
}

/** A constant tensor of plain numbers, for attributes. */
export function tensorOf(
  data: readonly number[],
  dims: Shape,
  type: ElementType = "float32",
): { type: ElementType; dims: Shape; data: TypedArray } {
  if (sizeOf(dims) !== data.length) throw new Error(`internal: ${data.length} elements for [${dims.join(", ")}]`);
  return { type, dims, data: fromNumbers(type, data) };
}
