/** Builds the page, serves it, and opens it in Chromium; what tests of the page have in common. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { serve } from "../browsers/server.mjs";

const root = resolve(import.meta.dirname, "../..");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Chromium's path: BITEXACT_CHROMIUM, or what is installed. */
export const CHROMIUM = [process.env.BITEXACT_CHROMIUM, "chromium", "chromium-browser", "google-chrome"]
  .filter((name) => name !== undefined)
  .map((name) => spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim())
  .find((path) => path !== "");

export interface Opened {
  readonly page: Page;
  readonly complaints: readonly string[]; // errors on the console, exceptions, requests to elsewhere
  /** What the page holds as data, once `main` is in `state`. */
  result(state?: string): Promise<PageResult>;
}

export interface PageResult {
  readonly inspect: import("../../src/inspectReport.ts").InspectReport | null;
  readonly run: Omit<import("../../web/protocol.ts").RunReport, "inputs"> | null;
  readonly verify: import("../../src/index.ts").VerifyReport | null;
  readonly bench: import("../../src/report/benchReport.ts").BenchReport | null;
  readonly peer: import("../../web/protocol.ts").PeerReport | null;
}

export type Mode = "plain" | "isolated" | "csp";

export interface Stage {
  readonly browser: Browser;
  readonly folder: string; // of the built page
  open(mode: Mode, options?: BrowserContextOptions): Promise<Opened>;
  close(): Promise<void>;
}

const WAIT_MS = 60_000;

/** The page, built once, in a browser of its own. */
export async function stage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "bitexact-page-"));
  await build({ configFile: join(root, "web/vite.config.ts"), logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  const server = await serve({ page: folder });
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: FLAGS });
  return {
    browser,
    folder,
    async open(mode, options) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      const complaints: string[] = [];
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => !request.url().startsWith(server.origin) && complaints.push(`asks ${request.url()}`));
      await page.goto(`${server.origin}/${mode}/page/`);
      const result = async (state = "done"): Promise<PageResult> => {
        await page.waitForSelector(`main[data-state="${state}"]`);
        return JSON.parse((await page.textContent("#result")) ?? "null") as PageResult;
      };
      return { page, complaints, result };
    },
    async close() {
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
