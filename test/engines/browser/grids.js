// The grids of the test files named in the page's address, in a worker: tests read files synchronously, and a page must not stand still.
import { post } from "./post.js";

post(
  () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(`../../../build/pages/grids.js${location.search}`, import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message, filename, lineno }) => reject(new Error(`${message} (${filename}:${lineno})`));
    }),
);
