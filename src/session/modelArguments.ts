/** Arguments of the public functions that concern a model. */
import type { LoadedModel } from "../model.ts";
import { refusal } from "../runtime/arguments.ts";

/** A model of loadModel. throws ModelError "option/model". */
export function checkedModel(model: unknown): LoadedModel {
  const { graph, inputs } = (model ?? {}) as Partial<LoadedModel>;
  if (graph?.values instanceof Map && Array.isArray(inputs)) return model as LoadedModel;
  throw refusal("option/model", "model", model, "the result of loadModel");
}

/** Shapes of inputs by name; names and sizes are checked where they are bound. throws ModelError "option/shapes". */
export function checkShapes(shapes: Readonly<Record<string, readonly number[]>>): void {
  if (typeof shapes !== "object" || shapes === null)
    throw refusal("option/shapes", "shapes", shapes, "a record of lists of sizes by input");
  for (const [name, shape] of Object.entries(shapes))
    if (!Array.isArray(shape)) throw refusal("option/shapes", `shapes of '${name}'`, shape, "a list of sizes");
}
