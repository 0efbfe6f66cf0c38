/** Which outputs of a model are its inputs of the next step. */
import type { Encoding } from "../encodings/encoding.ts";
import { type Issue, ModelError, modelError } from "../errors.ts";
import type { ElementType } from "../tensor/dtype.ts";
import { nameList } from "./arguments.ts";

/** An input or output of a model. */
export interface PortInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
  readonly encoding?: Encoding;
}

/** Names of a state's output and input. */
export interface StatePair {
  readonly output: string;
  readonly input: string;
}

/** Words that tell the state that enters from the one that leaves, and nothing else. */
const SIDES = new Set("in out input output prev previous next new last init initial cur current updated final n".split(" "));

/** The pairs as given, checked. throws ModelError "stream/unknown-state". */
export function givenPairs(
  given: Readonly<Record<string, string>>,
  inputs: readonly PortInfo[],
  outputs: readonly PortInfo[],
): StatePair[] {
  const names = (ports: readonly PortInfo[]): string[] => ports.map(({ name }) => name);
  const issues: Issue[] = [];
  const pairs = Object.entries(given).map(([output, input]) => ({ output, input }));
  const taken = new Set<string>();
  for (const { output, input } of pairs) {
    const message = !names(outputs).includes(output)
      ? `state '${output}': the model's outputs are ${nameList(names(outputs))}; give { output: input }`
      : !names(inputs).includes(input)
        ? `state '${output}': feeds '${input}', but the model's inputs are ${nameList(names(inputs))}`
        : taken.has(input)
          ? `state '${output}': input '${input}' is fed by another output already`
          : null;
    if (message) issues.push({ code: "stream/unknown-state", message, tensor: output });
    taken.add(input);
  }
  if (issues.length > 0) throw new ModelError(issues);
  return pairs;
}

/** Pairs by name: past_key_values.0.key and present.0.key, h_in and h_out, state and stateN. Only pairs that leave no doubt, of types and shapes that
 *  fit, are taken. throws ModelError "stream/no-state" where there is none. */
export function inferredPairs(inputs: readonly PortInfo[], outputs: readonly PortInfo[]): StatePair[] {
  const pairs = outputs.flatMap((output): StatePair[] => {
    const key = stem(output.name);
    const fitting = inputs.filter((input) => stem(input.name) === key && fits(output, input));
    const rivals = outputs.filter((other) => stem(other.name) === key && fitting[0] && fits(other, fitting[0]));
    return key !== "" && fitting.length === 1 && rivals.length === 1 ? [{ output: output.name, input: fitting[0]!.name }] : [];
  });
  if (pairs.length > 0) return pairs;
  const [from, to] = [outputs, inputs].map((ports) => nameList(ports.map(({ name }) => name)));
  throw modelError("stream/no-state", `stream: no output of ${from} has the name of an input of ${to}; give state: { output: input }`);
}

/** The name without what tells its side. */
function stem(name: string): string {
  const words = name
    .replace(/past_key_values?|present/i, "past")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.filter((word) => word !== "" && !SIDES.has(word)).join(" ");
}

function fits(output: PortInfo, input: PortInfo): boolean {
  if (output.type !== input.type) return false;
  const { length } = input.shape;
  const known = output.shape.length > 0 || length === 0;
  return !known || (output.shape.length === length && output.shape.every((dim, i) => agree(dim, input.shape[i]!)));
}

function agree(a: number | string, b: number | string): boolean {
  return typeof a === "string" || typeof b === "string" || a === b;
}
