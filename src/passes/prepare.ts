/** Prepare: from a loaded graph to what the executors share — static shapes, complete encodings, layers with their forms. */
import type { Form, Layer } from "../forms/form.ts";
import { formOf } from "../forms/index.ts";
import { type Graph, isOpen, valueNamed } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";
import { integerType } from "../tensor/dtype.ts";
import { completeEncodings } from "./completeEncodings.ts";
import { restIfLoaded } from "./deferred.ts";
import { inferredAt } from "./inferShapes.ts";
import { layersOf } from "./layers.ts";

export interface FormedLayer {
  readonly layer: Layer;
  readonly form: Form<unknown>;
  readonly data: unknown;
  /** It reads elements that follow from the shapes: what is packed for it serves this plan only. */
  readonly shapeBound?: boolean;
}

export interface Prepared {
  readonly graph: Graph;
  readonly layers: readonly FormedLayer[];
}

/** The graph at concrete shapes: inferred, folded, encodings completed. `shapes` binds symbolic inputs. */
export function staticGraph(graph: Graph, shapes: Readonly<Record<string, readonly number[]>> = {}): Graph {
  return completed(inferredAt(graph, shapes));
}

/** What follows once every shape is known: affine operators folded, encodings completed. */
export function completed(graph: Graph): Graph {
  return completeEncodings(restIfLoaded()?.foldBatchNorm(graph) ?? graph);
}

/** Static graph, cut into layers, each with the form that computes it. throws ModelError listing every issue. */
export function prepare(graph: Graph, shapes: Readonly<Record<string, readonly number[]>> = {}): Prepared {
  const ready = staticGraph(graph, shapes);
  const open = graph.inputs.some((id) => isOpen(valueNamed(graph, id)));
  const layers = layersOf(ready).map((layer) => ({ layer, ...formOf(layer, ready), shapeBound: open && isShapeBound(layer, ready) }));
  return { graph: ready, layers };
}

/** Integers that movement reads (the shape of a Reshape) are gone once it is lowered; every other constant may be packed. */
function isShapeBound({ nodes }: Layer, graph: Graph): boolean {
  return nodes.some((node) => {
    const moves = opOf(node)?.traits.movement !== undefined;
    return node.inputs.some((id) => {
      const value = graph.values.get(id);
      return value?.shapeBound === true && !(moves && integerType(value.type));
    });
  });
}
