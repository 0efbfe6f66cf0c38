/** What passes need for few graphs: symbolic shapes, constants to fold, operators to expand, old opsets, a BatchNorm behind a dot product. */
export { bindInputs } from "./bindInputs.ts";
export { expandOperators } from "./expandOperators.ts";
export { foldBatchNorm } from "./foldBatchNorm.ts";
export { foldNode, isFoldable } from "./foldConstants.ts";
export { nodeIssues } from "./operatorIssues.ts";
export { untied } from "./untied.ts";
export { upgradeOpset } from "./upgradeOpset.ts";
