/** The forms of layers in the order in which they are asked — those of the core, or all of them once src/full.ts has loaded them. */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";
import { notLoaded } from "../plan/notLoaded.ts";
import { CORE_FORMS } from "./core.ts";
import type { Form, Layer } from "./form.ts";

export interface FormedAs {
  readonly form: Form<unknown>;
  readonly data: unknown;
}

let all: readonly Form<unknown>[] | null = null;

/** Makes every form known. Only to be called by src/full.ts. */
export function useForms(forms: readonly Form<unknown>[]): void {
  all = forms;
}

/** The first form that recognises the layer. throws ModelError "plan/no-form" naming every node whose operator is not known,
 *  "plan/not-loaded" when only the core is loaded and has none for it. */
export function formOf(layer: Layer, graph: Graph): FormedAs {
  for (const form of all ?? CORE_FORMS) {
    const data = form.match(layer, graph);
    if (data !== null) return { form, data };
  }
  if (!all) notLoaded();
  const unknown = layer.nodes.filter((node) => !opOf(node));
  throw new ModelError(
    (unknown.length > 0 ? unknown : layer.nodes).map(({ id, op, domain }): Issue => {
      const name = domain === "" ? op : `${domain}.${op}`;
      return { code: "plan/no-form", message: `${name} '${id}': the operator is not known; it cannot be computed`, node: id };
    }),
  );
}
