/** What passes need for few graphs: symbolic shapes, constants to fold, operators to expand, old opsets, float16, a BatchNorm behind a dot product. */
export { bindInputs } from "./bindInputs.ts";
export { expandOperators } from "./expandOperators.ts";
export { foldNode, isFoldable } from "./foldConstants.ts";
export { nodeIssues } from "./operatorIssues.ts";
export { simplify } from "./simplify.ts";
export { untied } from "./untied.ts";
export { upgradeOpset } from "./upgradeOpset.ts";
