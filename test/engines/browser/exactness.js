// The exactness checks of the built package, on the page's main thread.
import { loadModel, Session, Tensor, verify } from "../../../dist/index.js";
import { runChecks } from "../checks.mjs";
import { post } from "./post.js";

const address = (path) => new URL(`/plain/${path}`, location.href).href;

async function read(path) {
  const response = await fetch(address(path));
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

post(() => runChecks({ loadModel, Session, Tensor, verify }, { address, read }));
