// A session worker that ends when a run asks for it: by closing itself, of which browsers tell nobody, or by an error nobody catches.
import "../package/sessionWorker.js";

addEventListener("message", ({ data }) => {
  if (data.options?.end === "close") close();
  if (data.options?.end === "throw") throw new Error("a defect");
});
