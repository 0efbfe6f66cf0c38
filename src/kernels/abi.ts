/** The kernel ABI: every kernel is `name(args, begin, end)`; args is a block of 32-bit fields in this order.
 *  Pointers are absolute byte addresses. test/kernels/layout.test.ts compares this table with the AssemblyScript args classes. */
import { CORE_ELEMENTWISE } from "./coreElementwise.ts";
import { DOT_KERNELS } from "./dot.ts";

type Fields = readonly string[];

const known: Record<string, Fields> = { ...DOT_KERNELS, ...CORE_ELEMENTWISE };

/** The kernels of the core, and all others once they are loaded. */
export const KERNELS: Readonly<Record<string, Fields>> = known;

/** Only to be called by src/full.ts: it adds kernels and never changes one. */
export function useKernels(more: Readonly<Record<string, Fields>>): void {
  Object.assign(known, more);
}
