/** Lowering of what few layers have: fixed targets, computed second operands, sums of several products, weights that are no plain int8 or int4, changes
 *  of encoding through tables. */
export { indexFault } from "../runtime/indexFault.ts";
export { computedPlanes } from "./dot/computedPlanes.ts";
export { emitDepthwiseParts } from "./dot/depthwiseParts.ts";
export { fixedFinish, float32Finish, realFinish } from "./dot/finishOther.ts";
export { emitParts, emitRowSums } from "./dot/lowerParts.ts";
export { otherPlanes, specialPanels } from "./dot/otherPlanes.ts";
export { splitPlanes } from "./dot/splitPlanes.ts";
export { emitFixed, emitReals } from "./linearOther.ts";
export { multiplierTable } from "./meanFixed.ts";
export { emitTable } from "./tableLower.ts";
export { quantizeWide } from "./wideEdge.ts";
