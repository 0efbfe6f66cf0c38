/** Operators that only move elements, in plain loops, and how bounds move with them. */
import { zerosLike } from "./arrayMath.ts";
import type { MovementSpec } from "./movement.ts";
import type { Numbers, Precision, TypeInfo } from "./op.ts";
import { applyMovement } from "./regions.ts";

export function movementFloat<A>(
  spec: MovementSpec<A>,
  inputs: readonly (Numbers | null)[],
  attrs: A,
  precision: Precision,
  like: Numbers,
): Numbers[] {
  const infos = inputs.map((x) => x && infoOf(x));
  const outputs = spec.shapes(infos, attrs).map((dims) => zerosLike(like, dims, precision));
  const moves = spec.movement(
    infos,
    outputs.map((out) => out.dims),
    attrs,
  );
  if (moves) for (const [i, move] of moves.entries()) applyMovement(move, inputs, outputs[i] as Numbers);
  else spec.direct?.(inputs, outputs, attrs);
  return outputs;
}

/** The inputs' bounds, moved as the elements are. */
export function movementError<A>(
  spec: MovementSpec<A>,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  attrs: A,
): Numbers[] {
  const bounds = inputs.map((x, i) => (x === null || spec.integers?.includes(i) ? x : (errors[i] ?? zeros(x))));
  return movementFloat(spec, bounds, attrs, "f64", bounds[0] as Numbers);
}

export function infoOf(x: Numbers): TypeInfo {
  return { type: "float32", dims: x.dims, constant: x.data };
}

export function zeros(x: Numbers): Numbers {
  return { dims: x.dims, data: new Float64Array(x.data.length) };
}
