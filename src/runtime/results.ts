/** Results: which values a run returns, and the caller's tensors it may write them to. */
import { type Issue, ModelError, modelError } from "../errors.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nameList, tensorFlaw } from "./arguments.ts";
import { elementsFit, encodingFits } from "./feeds.ts";
import { drainGate, encodingLeaving, type Gate, tensorFrom, typeLeaving } from "./ports.ts";

/** A value a run returns. */
export interface Delivery {
  readonly gate: Gate;
  readonly quantized: boolean;
}

export type Given = Readonly<Record<string, Tensor>>;

/** Captured values, then outputs; a value that is both leaves as the output it is. */
export function deliveriesOf(captures: readonly Gate[], outputs: readonly Gate[], quantized: boolean): Delivery[] {
  const captured = captures.filter(({ name }) => !outputs.some((output) => output.name === name));
  return [...captured.map((gate) => ({ gate, quantized: true })), ...outputs.map((gate) => ({ gate, quantized }))];
}

/** The gates of `fetches`, in that order. throws ModelError "run/unknown-output". */
export function fetched(outputs: readonly Gate[], fetches: readonly string[]): readonly Gate[] {
  return fetches.map((name) => {
    const gate = outputs.find((gate) => gate.name === name);
    if (gate) return gate;
    throw unknownOutput(
      name,
      outputs.map(({ name }) => name),
    );
  });
}

/** For a fetch that is no output of the model. */
export function unknownOutput(name: string, outputs: readonly string[]): ModelError {
  return modelError("run/unknown-output", `fetch '${name}': the model's outputs are ${nameList(outputs)}`, { tensor: name });
}

/** throws ModelError "run/…" listing every given tensor that cannot take the value of its name. */
export function checkGiven(deliveries: readonly Delivery[], given: Given): void {
  let taken = 0;
  let fits = true;
  for (const delivery of deliveries) {
    if (!Object.hasOwn(given, delivery.gate.name)) continue;
    taken++;
    fits &&= givenFits(delivery, given[delivery.gate.name] as Tensor);
  }
  for (const _ in given) taken--;
  if (!fits || taken !== 0) refuseGiven(deliveries, given);
}

function givenFits({ gate, quantized }: Delivery, tensor: Tensor): boolean {
  if (typeof tensor !== "object" || tensor === null) return false;
  const type = typeLeaving(gate, quantized);
  const encoding = encodingLeaving(gate, quantized);
  if (tensor.type !== type || !elementsFit(tensor, type, gate.size, gate.port.shape)) return false;
  return encoding ? tensor.encoding !== undefined && encodingFits(tensor.encoding, encoding) : tensor.encoding === undefined;
}

function refuseGiven(deliveries: readonly Delivery[], given: Given): void {
  const issues: Issue[] = [];
  const issue = (code: string, tensor: string, message: string): void => {
    issues.push({ code, tensor, message: `outputs '${tensor}': ${message}` });
  };
  for (const name of Object.keys(given)) {
    const delivery = deliveries.find(({ gate }) => gate.name === name);
    const tensor = given[name] as Tensor;
    if (!delivery) {
      issue("run/unknown-output", name, `this run returns ${nameList(deliveries.map(({ gate }) => gate.name))}`);
      continue;
    }
    const flaw = tensorFlaw(tensor);
    if (flaw) issue("run/output-tensor", name, flaw);
    else if (!givenFits(delivery, tensor)) {
      const { gate, quantized } = delivery;
      const grid = encodingLeaving(gate, quantized) ? " with the value's own encoding" : "";
      const expected = `expected ${typeLeaving(gate, quantized)} ${formatShape(gate.port.shape)}${grid}, as a run returns it`;
      issue("run/output-tensor", name, `found ${tensor.type} ${formatShape(tensor.dims)}, ${expected}`);
    }
  }
  if (issues.length > 0) throw new ModelError(issues);
}

/** Nothing is inherited from it. Records made from it have the fast shape of ordinary ones, those of Object.create(null) do not. */
const NO_NAMES: object = Object.freeze(Object.create(null));

/** The values by name: in the given tensors, checked before, or new ones. */
export function deliver(deliveries: readonly Delivery[], given: Given | undefined): Record<string, Tensor> {
  const results: Record<string, Tensor> = Object.create(NO_NAMES);
  for (const { gate, quantized } of deliveries) {
    const { name } = gate;
    const own = given !== undefined && Object.hasOwn(given, name) ? given[name] : undefined;
    if (own) drainGate(gate, quantized, own.data);
    results[name] = own ?? tensorFrom(gate, quantized);
  }
  return results;
}
