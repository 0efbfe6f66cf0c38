/** Float semantics of the operators of the core, and what they say of models they refuse: what src/ops/deferred.ts hands out once everything is loaded. */
export * from "./binaryFloat.ts";
export * from "./clipFloat.ts";
export * from "./convFloat.ts";
export * from "./flaws.ts";
export * from "./matmulFloat.ts";
export * from "./movementFloat.ts";
export * from "./poolsFloat.ts";
export * from "./reduceFloat.ts";
export * from "./unaryFloat.ts";
