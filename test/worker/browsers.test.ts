/** Worker sessions of the built package in real browsers, with and without a strict content security policy. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browsers, visit } from "../browsers/browsers.mjs";
import { serve } from "../browsers/server.mjs";

const root = resolve(import.meta.dirname, "../..");
const SECONDS = 60;
let dist = "";
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "bitexact-worker-page-"));
  await build({ root, logLevel: "error", build: { outDir: dist, emptyOutDir: true } });
  server = await serve({ package: dist, models: join(root, "models"), page: join(import.meta.dirname, "page") });
});
afterAll(() => {
  server?.close();
  rmSync(dist, { recursive: true, force: true });
});

const RIGHT = { lost: true, inTime: true, again: true };

const FAST = process.env.BITEXACT_TIER === "fast";
const KINDS = browsers().filter(({ name }) => !FAST || name === "chromium");

describe.each(KINDS)("in $name", ({ name, missing, start }) => {
  if (missing) console.log(`worker sessions: ${name} skipped, ${missing}`);

  it.skipIf(missing !== null)("a worker session gives the page's bytes, moves buffers, and survives the end of its worker", async () => {
    const browser = await start();
    try {
      for (const mode of ["plain", "csp"]) {
        const id = `${name}-${mode}`;
        const { result, complaints } = await visit(browser, server, `${server.origin}/${mode}/page/index.html?id=${id}`, id, SECONDS);
        expect(result, `${mode}: ${complaints.join(" | ")}`).toEqual({
          equal: [true, true, true],
          moved: true,
          phases: ["load", "plan"],
          aborted: "session/aborted",
          disposed: "session/disposed",
          close: RIGHT,
          throw: RIGHT,
        });
      }
    } finally {
      await browser.close();
    }
  });
});
