// Runs the exactness checks of the built package on the engine that runs this file; prints one JSON line.
import { loadModel, Session, Tensor, verify } from "../../dist/index.js";
import { runChecks } from "./checks.mjs";
import { nodeHost } from "./host.mjs";

const result = await runChecks({ loadModel, Session, Tensor, verify }, nodeHost);
console.log(JSON.stringify({ engine: process.version, arch: process.arch, ...result }));
