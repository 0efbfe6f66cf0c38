/** What passes need for few graphs: symbolic shapes, constants to fold, a BatchNorm behind a dot product. */
export { bindInputs } from "./bindInputs.ts";
export { foldBatchNorm } from "./foldBatchNorm.ts";
export { foldNode, isFoldable } from "./foldConstants.ts";
export { nodeIssues } from "./operatorIssues.ts";
export { untied } from "./untied.ts";
