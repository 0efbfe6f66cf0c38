/** LpPool and its global form. Source: LpPool-2/11/18. */
import { int, readAttrs } from "./attributes.ts";
import { numbersAt, required, requireFloat } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef } from "./op.ts";
import { GLOBAL, inferPool, type PoolAttrs, parseWindow } from "./pools.ts";
import { erased } from "./registry.ts";

function defineNorm(type: string, parse: OpDef<PoolAttrs>["parse"]): OpDef {
  return erased(
    defineOp<PoolAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse,
      infer(inputs, attrs) {
        requireFloat(required(inputs, 0));
        return [inferPool(inputs, attrs)];
      },
      float: (inputs, attrs, precision) => [floats().norm(numbersAt(inputs, 0), attrs, precision)],
      error: (inputs, errors, outputs, attrs, unit) => [floats().normError(inputs, errors, numbersAt(outputs, 0), attrs, unit)],
      traits: {},
    }),
  );
}

export const OTHER_POOLS: readonly OpDef[] = [
  defineNorm("LpPool", (attrs) => {
    const { base, all } = parseWindow(attrs, { p: int(2) });
    return { ...base, p: all.p };
  }),
  defineNorm("GlobalLpPool", (attrs) => ({ ...GLOBAL, p: readAttrs(attrs, { p: int(2) }).p })),
];
