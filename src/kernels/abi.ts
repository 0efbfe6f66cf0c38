/** The kernel ABI: every kernel is `name(args, begin, end)`; args is a block of 32-bit fields in this order.
 *  Pointers are absolute byte addresses. test/kernels/layout.test.ts compares this table with the AssemblyScript args classes. */
import { DOT_KERNELS } from "./dot.ts";
import { ELEMENTWISE_KERNELS } from "./elementwise.ts";

type Fields = Readonly<Record<string, readonly string[]>>;

export const KERNELS: Fields = { ...DOT_KERNELS, ...ELEMENTWISE_KERNELS };

/** Adds lists of kernels that are loaded on demand; only to be called by src/full.ts. */
export function useKernelFields(lists: Fields): void {
  Object.assign(KERNELS, lists);
}
