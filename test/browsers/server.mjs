// A static server for pages under test: the same folders under several sets of headers, and a mailbox for what the pages find out.
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
const STRICT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'";

/** What the first part of a path asks for. `wasm`: how a .wasm file is answered. */
export const MODES = {
  plain: { headers: {} },
  isolated: {
    headers: {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Cross-Origin-Resource-Policy": "same-origin",
    },
  },
  csp: { headers: { "Content-Security-Policy": STRICT } },
  "no-wasm": { headers: { "Content-Security-Policy": "default-src 'self'" } },
  mime: { headers: {}, wasm: "text/plain" },
  missing: { headers: {}, wasm: 404 },
  fallback: { headers: {}, wasm: "page" },
};

/** Looks up `path` among the mounted folders: { mode, file }, or null. */
function target(mounts, path) {
  const [, mode, mount, ...rest] = path.split("/");
  const folder = mounts[mount];
  const inside = normalize(rest.join("/"));
  if (!MODES[mode] || !folder || inside.startsWith("..")) return null;
  const file = join(folder, inside);
  return {
    mode: MODES[mode],
    file: existsSync(file) && statSync(file).isDirectory() && path.endsWith("/") ? join(file, "index.html") : file,
  };
}

function answer(response, { mode, file }) {
  const type = extname(file);
  const asked = type === ".wasm" ? mode.wasm : undefined;
  const headers = { "Cache-Control": "no-store", "Content-Type": TYPES[type] ?? "application/octet-stream", ...mode.headers };
  if (asked === "page")
    return response.writeHead(200, { ...headers, "Content-Type": TYPES[".html"] }).end("<!doctype html><title>App</title>");
  if (asked === 404 || !existsSync(file)) return response.writeHead(404, headers).end();
  if (statSync(file).isDirectory()) {
    const entries = readdirSync(file, { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()]);
    return response.writeHead(200, { ...headers, "Content-Type": TYPES[".json"] }).end(JSON.stringify(entries));
  }
  const { size, mtimeMs } = statSync(file);
  response.writeHead(200, { ...headers, "Content-Length": size, "X-Modified": mtimeMs, ...(asked && { "Content-Type": asked }) });
  createReadStream(file).pipe(response);
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

/** Serves `mounts` (name → folder) at /<mode>/<name>/…. A page posts what it found to /result/<id>.
 *  Returns { origin, result(id): Promise of what page `id` posts, close() }. A folder asked for without a slash at its end is listed as JSON. */
export async function serve(mounts) {
  const waiting = new Map();
  const box = (id) => {
    if (!waiting.has(id)) waiting.set(id, Promise.withResolvers ? Promise.withResolvers() : withResolvers());
    return waiting.get(id);
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const id = /^\/result\/(.+)$/.exec(pathname)?.[1];
    if (id && request.method === "POST") {
      bodyOf(request).then(box(id).resolve, box(id).reject);
      return response.writeHead(204).end();
    }
    if (pathname === "/favicon.ico") return response.writeHead(204).end();
    const found = target(mounts, decodeURIComponent(pathname));
    if (!found) return response.writeHead(404).end();
    answer(response, found);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    result: (id) => box(id).promise,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
