/** What passes need for few graphs: symbolic shapes, constants to fold, operators to expand, old opsets, a BatchNorm behind a dot product, control flow. */
export { bindInputs } from "./bindInputs.ts";
export { closeSubgraphs } from "./closeSubgraphs.ts";
export { expandOperators } from "./expandOperators.ts";
export { foldBatchNorm } from "./foldBatchNorm.ts";
export { foldNode, isFoldable } from "./foldConstants.ts";
export { foldQdq } from "./foldQdq.ts";
export { inlineNode } from "./inlineBodies.ts";
export { nodeIssues } from "./operatorIssues.ts";
export { untied } from "./untied.ts";
export { upgradeOpset } from "./upgradeOpset.ts";
