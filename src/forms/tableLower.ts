/** Emits a table of one storage's codes: a line where all its entries lie on one, else lookups. */
import { fitLine } from "../numerics/fitLine.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import type { Storage } from "../plan/plan.ts";
import { type Levels, storedTable } from "./codes.ts";

/** `size` codes of `from` through codeFor, as stored on `to`. */
export function emitTable(
  node: string,
  from: { readonly storage: Storage; readonly levels: Levels; readonly ref: Ref },
  to: { readonly storage: Storage; readonly ref: Ref },
  codeFor: (q: number) => number,
  size: number,
  ctx: Lowering,
): void {
  const table = storedTable(from, to.storage, codeFor);
  const places = { input: from.ref, output: to.ref };
  if (from.storage.bytes === 1 && to.storage.bytes === 1) {
    const entries = to.storage.signed ? new Int8Array(table.buffer) : table;
    const line = fitLine(entries, from.storage.signed ? -128 : 0);
    if (line) {
      ctx.emit("line_q8", { ...places, ...line }, size, node);
      return;
    }
  }
  ctx.emit(tableKernel(from.storage, to.storage), { ...places, table: ctx.constant(table) }, size, node);
}

/** Name of the table kernel between two storages. */
function tableKernel(from: Storage, to: Storage): string {
  return `table_${from.bytes === 1 ? "q8" : "q16"}_${to.bytes === 1 ? "q8" : "q16"}`;
}
