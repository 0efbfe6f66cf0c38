/** Lists of operators forget their attribute types: whoever holds an OpDef only passes it what its own parse returned. */
import type { OpDef } from "./op.ts";

export function erased<A>(op: OpDef<A>): OpDef {
  return op as unknown as OpDef;
}
