/** All forms in the order in which they are asked, and the form of a layer. */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";
import { dotForm } from "./dot/form.ts";
import { extremeForm } from "./extreme.ts";
import type { Form, Layer } from "./form.ts";
import { gatherForm } from "./gather.ts";
import { islandForm } from "./island.ts";
import { linearForm } from "./linear.ts";
import { meanForm } from "./mean.ts";
import { movementForm } from "./movement.ts";
import { programForm } from "./program.ts";
import { tableForm } from "./table.ts";

/** A list of forms forgets their data types: whoever holds a form only passes it what its own match returned. */
function erased<D>(form: Form<D>): Form<unknown> {
  return form as Form<unknown>;
}

export const FORMS: readonly Form<unknown>[] = [
  erased(movementForm),
  erased(gatherForm),
  erased(dotForm),
  erased(tableForm),
  erased(linearForm),
  erased(meanForm),
  erased(extremeForm),
  erased(programForm),
  erased(islandForm),
];

export interface FormedAs {
  readonly form: Form<unknown>;
  readonly data: unknown;
}

/** The first form that recognises the layer. throws ModelError "plan/no-form" naming every node whose operator is not known. */
export function formOf(layer: Layer, graph: Graph): FormedAs {
  for (const form of FORMS) {
    const data = form.match(layer, graph);
    if (data !== null) return { form, data };
  }
  const unknown = layer.nodes.filter((node) => !opOf(node));
  throw new ModelError(
    (unknown.length > 0 ? unknown : layer.nodes).map(({ id, op, domain }): Issue => {
      const name = domain === "" ? op : `${domain}.${op}`;
      return { code: "plan/no-form", message: `${name} '${id}': the operator is not known; it cannot be computed`, node: id };
    }),
  );
}
