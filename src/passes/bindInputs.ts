/** Binds symbolic dimensions of inputs. */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph, OpenShape, Shape, ValueId } from "../graph/graph.ts";
import { MAX_EXTENT } from "../tensor/shape.ts";

/** The graph with its inputs' symbolic dimensions replaced. throws ModelError "graph/unbound-dim" naming every one left. */
export function bindInputs(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): Graph {
  const issues: Issue[] = [];
  const bound = new Map<string, number>();
  const values = new Map(graph.values);
  const fix = (id: ValueId, shape: OpenShape): Shape =>
    shape.map((dim, axis) => {
      if (typeof dim === "number") return dim;
      const size = bound.get(dim);
      if (size !== undefined) return size;
      issues.push({
        code: "graph/unbound-dim",
        tensor: id,
        message: `input '${id}': dimension ${axis} is symbolic ('${dim}') and not bound; give shapes or an input of concrete shape`,
      });
      return 1;
    });
  for (const name of Object.keys(shapes)) {
    const names = graph.inputs.map((id) => `'${id}'`).join(", ");
    if (!graph.inputs.includes(name))
      issues.push({ code: "graph/input-shape", tensor: name, message: `shape of '${name}': no such input, expected one of ${names}` });
  }
  for (const id of graph.inputs) {
    const value = values.get(id)!;
    const given = Object.hasOwn(shapes, id) ? shapes[id] : undefined;
    if (given) issues.push(...bindInput(id, value.shape, given, bound));
  }
  for (const id of graph.inputs) {
    const value = values.get(id)!;
    const given = Object.hasOwn(shapes, id) ? shapes[id] : undefined;
    const shape = given ?? fix(id, value.shape ?? []);
    const long = shape.find((dim) => dim > MAX_EXTENT);
    if (long !== undefined) {
      const message = `input '${id}': shape [${shape.join(", ")}] has an extent of ${long}, at most ${MAX_EXTENT} is computed`;
      issues.push({ code: "graph/input-shape", tensor: id, message });
    }
    values.set(id, { ...value, shape });
  }
  if (issues.length > 0) throw new ModelError(issues);
  return { ...graph, values };
}

function bindInput(id: ValueId, declared: OpenShape | null, given: readonly number[], bound: Map<string, number>): Issue[] {
  const issue = (message: string): Issue[] => [{ code: "graph/input-shape", tensor: id, message }];
  if (given.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) return issue(`input '${id}': shape [${given}] is not a list of sizes`);
  if (!declared) return [];
  const expected = `expected [${declared.join(", ")}]`;
  if (declared.length !== given.length) return issue(`input '${id}': shape [${given.join(", ")}] has rank ${given.length}, ${expected}`);
  for (const [axis, dim] of declared.entries()) {
    const size = given[axis]!;
    const want = typeof dim === "number" ? dim : bound.get(dim);
    if (want !== undefined && want !== size)
      return issue(`input '${id}': shape [${given.join(", ")}], dimension ${axis} is ${size}, ${expected}`);
    if (typeof dim === "string") bound.set(dim, size);
  }
  return [];
}
