/** The grids in a worker of a page: the files named in its address (all without any), then the outcome as a message. */
import { runGrids } from "../grids.ts";

const wanted = new URLSearchParams(globalThis.location.search).getAll("file");
runGrids(wanted).then(postMessage, (error: Error) => postMessage({ error: error.stack ?? error.message }));
