// `npm run web`: builds the page into dist/web. With --serve it is served here as well, isolated, so that memory can be shared.
import { build, preview } from "vite";

const configFile = "web/vite.config.ts";
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

await build({ configFile });
if (process.argv.includes("--serve")) {
  const server = await preview({ configFile, preview: { headers } });
  server.printUrls();
} else {
  console.log("\ndist/web is ready: any static server, at any address, or: npm run web -- --serve");
}
