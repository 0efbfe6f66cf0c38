/** Examples for browsers, opened in Chromium from a static server. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium } from "playwright-core";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};
const WAIT_MS = 30_000;

/** The installed Chromium, or undefined. */
export const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);

export interface Viewer {
  /** Opens a page of the served folder: the first thing that it logs. throws Error for what the page or its console complains of. */
  open(path: string): Promise<string>;
  close(): Promise<void>;
}

/** Serves `folder`, cross-origin isolated, to a browser of its own. */
export async function openViewer(folder: string): Promise<Viewer> {
  const server = createServer((request, response) => {
    const file = join(folder, normalize(decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname)));
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
    const isolated = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...isolated });
    return createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ["--no-sandbox", "--disable-gpu"] });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { open: (path) => firstWords(browser, `${origin}/${path}`), close: () => end(browser, server) };
}

async function firstWords(browser: Browser, url: string): Promise<string> {
  const page = await browser.newPage();
  try {
    return await new Promise<string>((resolve, reject) => {
      setTimeout(() => reject(new Error(`${url}: logged nothing within ${WAIT_MS / 1000} s`)), WAIT_MS).unref();
      page.on("pageerror", reject);
      page.on("console", (message) => {
        if (message.type() !== "error") resolve(message.text());
        else if (!/favicon\.ico/.test(message.location().url)) reject(new Error(message.text()));
      });
      page.goto(url).catch(reject);
    });
  } finally {
    await page.close();
  }
}

async function end(browser: Browser, server: Server): Promise<void> {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
