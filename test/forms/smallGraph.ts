/** Builds small graphs for the tests of forms: values with shapes and encodings, output shapes inferred by the operators. */
import { type Encoding, perTensor } from "../../src/encodings/encoding.ts";
import type { Codes, Form, Layer } from "../../src/forms/form.ts";
import { formOf } from "../../src/forms/index.ts";
import { typeInfo } from "../../src/forms/operands.ts";
import type { Attr, Graph, Node, Value } from "../../src/graph/graph.ts";
import { opOf } from "../../src/ops/index.ts";
import { layersOf } from "../../src/passes/layers.ts";
import type { Target } from "../../src/plan/plan.ts";
import type { ElementType, TypedArray } from "../../src/tensor/dtype.ts";

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs?: Readonly<Record<string, Attr>>;
}

export interface ValueSpec {
  readonly shape?: readonly number[];
  readonly encoding?: Encoding;
  readonly data?: TypedArray;
  readonly type?: ElementType;
  readonly half?: boolean;
}

/** Values without a shape are node outputs: inferred, with the encoding given here. */
export function graphOf(values: Readonly<Record<string, ValueSpec>>, nodes: readonly NodeSpec[], opset = 21): Graph {
  const all = new Map<string, Value>();
  for (const [id, spec] of Object.entries(values)) if (spec.shape) all.set(id, { id, type: "float32", ...spec, shape: spec.shape });
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const graph = {
    name: "test",
    opsets: new Map([["", opset]]),
    values: all,
    nodes: [] as Node[],
    inputs: [] as string[],
    outputs: [] as string[],
  };
  graph.inputs = [...all.values()].filter((value) => !value.data && !made.has(value.id)).map((value) => value.id);
  nodes.forEach((spec, i) => {
    const node: Node = {
      id: `${spec.op.toLowerCase()}_${i}`,
      op: spec.op,
      domain: "",
      attrs: new Map(Object.entries(spec.attrs ?? {})),
      inputs: spec.inputs,
      outputs: spec.outputs,
    };
    const def = opOf(node)!;
    const results = def.infer(
      node.inputs.map((id) => (id === "" ? null : typeInfo(graph, id))),
      def.parse(node.attrs, opset),
    );
    node.outputs.forEach((id, k) => {
      if (id !== "") all.set(id, { id, ...(values[id] ?? {}), type: results[k]!.type, shape: results[k]!.dims });
    });
    graph.nodes.push(node);
  });
  const read = new Set(nodes.flatMap((node) => node.inputs));
  graph.outputs = [...made].filter((id) => id !== "" && (!read.has(id) || values[id]?.encoding));
  return graph;
}

export interface Formed {
  readonly graph: Graph;
  readonly layer: Layer;
  readonly form: Form<unknown>;
  readonly data: unknown;
}

/** The only layer of a graph and its form. */
export function formed(graph: Graph): Formed {
  const layers = layersOf(graph);
  if (layers.length !== 1) throw new Error(`the graph has ${layers.length} layers`);
  return { graph, layer: layers[0]!, ...formOf(layers[0]!, graph) };
}

/** The layer's outputs by the form's reference. */
export function referenceOf({ graph, layer, form, data }: Formed, inputs: Codes, target: Target = "exact"): number[][] {
  return form.reference(data, layer, graph, inputs, target).map((out) => Array.from(out.data));
}

export function int8(scale: number, zeroPoint = 0): Encoding {
  return perTensor("int8", scale, zeroPoint);
}

export function uint8(scale: number, zeroPoint = 0): Encoding {
  return perTensor("uint8", scale, zeroPoint);
}

export function uint16(scale: number, zeroPoint = 0): Encoding {
  return perTensor("uint16", scale, zeroPoint);
}

export function int16(scale: number, zeroPoint = 0): Encoding {
  return perTensor("int16", scale, zeroPoint);
}

/** Codes by name, row-major. */
export function codesOf(entries: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: ArrayLike<number> }>>): Codes {
  return new Map(Object.entries(entries).map(([id, { dims, data }]) => [id, { dims, data: Float64Array.from(data) }]));
}
