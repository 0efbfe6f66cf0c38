/** The kernel ABI: every kernel is `name(args, begin, end)`; args is a block of 32-bit fields in this order.
 *  Pointers are absolute byte addresses. test/kernels/layout.test.ts compares this table with the AssemblyScript args classes. */
import { DOT_KERNELS } from "./dot.ts";
import { ELEMENTWISE_KERNELS } from "./elementwise.ts";

const fields: Record<string, readonly string[]> = { ...DOT_KERNELS, ...ELEMENTWISE_KERNELS };

/** Field lists by kernel: those of the core, and of the float kernels once they are loaded. */
export const KERNELS: Readonly<Record<string, readonly string[]>> = fields;

/** Adds the fields of kernels loaded on demand; only to be called by src/full.ts. */
export function useKernelFields(more: Readonly<Record<string, readonly string[]>>): void {
  Object.assign(fields, more);
}
