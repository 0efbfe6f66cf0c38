// The grids of the test files named in the page's address, each in a worker of its own: tests read files synchronously, a page must not stand
// still, and an engine gives memories of ended workers back.
import { post } from "./post.js";

const SCRIPT = new URL("../../../build/pages/grids.js", import.meta.url);

function outcomeOf(file) {
  const worker = new Worker(`${SCRIPT}?${new URLSearchParams({ file })}`, { type: "module" });
  const outcome = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(`${file}: ${data.error}`)) : resolve(data));
    worker.onerror = ({ message, filename, lineno }) => reject(new Error(`${file}: ${message} (${filename}:${lineno})`));
  });
  return outcome.finally(() => worker.terminate());
}

post(async () => {
  const total = { files: 0, passed: 0, skipped: 0, failures: [] };
  for (const file of new URLSearchParams(location.search).getAll("file")) {
    const { files, passed, skipped, failures } = await outcomeOf(file);
    total.files += files;
    total.passed += passed;
    total.skipped += skipped;
    total.failures.push(...failures);
  }
  return total;
});
