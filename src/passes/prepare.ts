/** Prepare: from a loaded graph to what the executors share — static shapes, complete encodings, layers with their forms. */
import type { Form, Layer } from "../forms/form.ts";
import { formOf } from "../forms/index.ts";
import type { Graph } from "../graph/graph.ts";
import { completeEncodings } from "./completeEncodings.ts";
import { foldBatchNorm } from "./foldBatchNorm.ts";
import { bindShapes, inferShapes } from "./inferShapes.ts";
import { layersOf } from "./layers.ts";

export interface FormedLayer {
  readonly layer: Layer;
  readonly form: Form<unknown>;
  readonly data: unknown;
}

export interface Prepared {
  readonly graph: Graph;
  readonly layers: readonly FormedLayer[];
}

/** The graph at concrete shapes: inferred, folded, encodings completed. `shapes` binds symbolic inputs. */
export function staticGraph(graph: Graph, shapes: Readonly<Record<string, readonly number[]>> = {}): Graph {
  return completeEncodings(foldBatchNorm(inferShapes(bindShapes(graph, shapes))));
}

/** Static graph, cut into layers, each with the form that computes it. throws ModelError listing every issue. */
export function prepare(graph: Graph, shapes: Readonly<Record<string, readonly number[]>> = {}): Prepared {
  const ready = staticGraph(graph, shapes);
  return { graph: ready, layers: formLayers(ready, layersOf(ready)) };
}

export function formLayers(graph: Graph, layers: readonly Layer[]): FormedLayer[] {
  return layers.map((layer) => ({ layer, ...formOf(layer, graph) }));
}
