/** Forms that come with the core. What one of them takes here, it also takes among all forms (src/forms/all.ts). */
import { dotForm } from "./dot/form.ts";
import { extremeForm } from "./extreme.ts";
import type { Form, Layer } from "./form.ts";
import { linearForm } from "./linear.ts";
import { meanForm } from "./mean.ts";
import { movementForm } from "./movement.ts";

/** A list of forms forgets their data types: whoever holds a form only passes it what its own match returned. */
export function erased<D>(form: Form<D>): Form<unknown> {
  return form as Form<unknown>;
}

/** Functions of one value go to the table form, which is asked before and does not come with the core. */
const linearOfTwo: Form<unknown> = {
  ...erased(linearForm),
  match: (layer: Layer, graph) => (layer.inputs.length === 1 ? null : linearForm.match(layer, graph)),
};

export const CORE_FORMS: readonly Form<unknown>[] = [
  erased(movementForm),
  erased(dotForm),
  linearOfTwo,
  erased(meanForm),
  erased(extremeForm),
];
