/** What passes need for few graphs: symbolic shapes, constants to fold, operators to expand, control flow, float16, old opsets, a BatchNorm behind a dot product. */
export { bindInputs } from "./bindInputs.ts";
export { closeSubgraphs } from "./closeSubgraphs.ts";
export { readQuantization } from "./expandOperators.ts";
export { foldNode, isFoldable } from "./foldConstants.ts";
export { foldQdq } from "./foldQdq.ts";
export { inlineNode } from "./inlineBodies.ts";
export { islandIssues, outputIssues } from "./modelIssues.ts";
export { nodeIssues } from "./operatorIssues.ts";
export { simplify } from "./simplify.ts";
export { untied } from "./untied.ts";
export { upgradeOpset } from "./upgradeOpset.ts";
