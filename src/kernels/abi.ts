/** The kernel ABI: every kernel is `name(args, begin, end)`; args is a block of 32-bit fields in this order.
 *  Pointers are absolute byte addresses. test/kernels/layout.test.ts compares this table with the AssemblyScript args classes. */
import { DOT_KERNELS } from "./dot.ts";
import { ELEMENTWISE_KERNELS } from "./elementwise.ts";

export const KERNELS: Readonly<Record<string, readonly string[]>> = { ...DOT_KERNELS, ...ELEMENTWISE_KERNELS };
