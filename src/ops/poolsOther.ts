/** LpPool and its global form. Source: LpPool-2/11/18. */
import { int, readAttrs } from "./attributes.ts";
import type { OpDef } from "./op.ts";
import { definePool, GLOBAL, parseWindow } from "./pools.ts";

export const OTHER_POOLS: readonly OpDef[] = [
  definePool(
    "LpPool",
    (attrs) => {
      const { base, all } = parseWindow(attrs, { p: int(2) });
      return { ...base, p: all.p };
    },
    "norm",
    {},
  ),
  definePool("GlobalLpPool", (attrs) => ({ ...GLOBAL, p: readAttrs(attrs, { p: int(2) }).p }), "norm", {}),
];
