/** Forms that come with the core. What one of them takes here, it also takes among all forms (src/forms/all.ts). */

import { targetRow } from "../numerics/targets.ts";
import { aliasCore } from "./alias.ts";
import { notLoaded } from "./deferred.ts";
import { dotCore } from "./dot/core.ts";
import { extremeCore } from "./extreme.ts";
import type { CoreForm, Form, Layer } from "./form.ts";
import { linearCore } from "./linear.ts";
import { meanCore } from "./mean.ts";

/** A list of forms forgets their data types: whoever holds a form only passes it what its own match returned. */
export function erased<D>(form: Form<D>): Form<unknown> {
  return form as Form<unknown>;
}

/** Target ort has forms and kernels of its own for what is no dot product. */
function inReals<D>(form: CoreForm<D>): CoreForm<D> {
  return { ...form, lower: (data, layer, ctx) => (targetRow(ctx.target).single ? notLoaded() : form.lower(data, layer, ctx)) };
}

/** A form that compiles layers; its reference and its judge are asked for after everything is loaded only. */
function compiling<D>(form: CoreForm<D>): Form<D> {
  const missing = (): never => {
    throw new Error(`internal: the reference of form ${form.name} is not loaded`);
  };
  return { ...form, reference: missing, judge: missing };
}

/** Functions of one value go to the table form, which is asked before and does not come with the core. */
const linearOfTwo: Form<unknown> = {
  ...erased(compiling(inReals(linearCore))),
  match: (layer: Layer, graph) => (layer.inputs.length === 1 ? null : linearCore.match(layer, graph)),
};

export const CORE_FORMS: readonly Form<unknown>[] = [
  erased(compiling(aliasCore)),
  erased(compiling(dotCore)),
  linearOfTwo,
  erased(compiling(inReals(meanCore))),
  erased(compiling(extremeCore)),
];
