// Starts the browsers that are installed and opens pages in them: Chromium through playwright-core, Firefox by its command line.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", ...QUIET];

function commandOf(variable, names) {
  const candidates = process.env[variable] ? [process.env[variable]] : names;
  return candidates.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0) ?? null;
}

const versionOf = (command) =>
  spawnSync(command, ["--version"], { encoding: "utf8" })
    .stdout.trim()
    .replace(/^Mozilla | built .*$/g, "");

/** A timer that rejects; `cancel` ends it. */
function deadline(seconds, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${seconds} s`)), seconds * 1000);
  });
  return { late, cancel: () => clearTimeout(timer) };
}

async function chromium(command) {
  const { chromium: driver } = await import("playwright-core");
  const path = spawnSync("sh", ["-c", `command -v ${command}`], { encoding: "utf8" }).stdout.trim();
  const browser = await driver.launch({ executablePath: path, args: CHROMIUM_FLAGS });
  return {
    async open(url) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const complaints = [];
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(url);
      return { complaints, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

// No first-run pages, no updates, no telemetry; workers and modules are on by default.
const FIREFOX_PREFERENCES = {
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.enabled": false,
  "app.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "dom.max_script_run_time": 0,
};

/** A process and a profile per page: this Firefox takes addresses on its command line only. */
function firefox(command) {
  return {
    async open(url) {
      const profile = mkdtempSync(join(tmpdir(), "bitexact-firefox-"));
      const lines = Object.entries(FIREFOX_PREFERENCES).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
      );
      writeFileSync(join(profile, "user.js"), `${lines.join("\n")}\n`);
      const child = spawn(command, ["--headless", "--no-remote", "--profile", profile, url], {
        stdio: "ignore",
        detached: true,
        env: { ...process.env, HOME: profile, MOZ_HEADLESS: "1" },
      });
      const gone = new Promise((resolve) => child.once("exit", resolve));
      return {
        complaints: [], // not to be had without a driver
        async close() {
          if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
          await gone;
          rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
        },
      };
    },
    close: async () => {},
  };
}

const KINDS = [
  { name: "chromium", variable: "CHROMIUM", commands: ["chromium", "chromium-browser", "google-chrome"], start: chromium },
  { name: "firefox", variable: "FIREFOX", commands: ["firefox-esr", "firefox"], start: firefox },
];

/** { name, version, missing: why it cannot run or null, start(): Promise of { open(url), close() } }. */
export function browsers() {
  return KINDS.map(({ name, variable, commands, start }) => {
    const command = commandOf(variable, commands);
    const missing = command ? null : `${commands[0]} is not installed (nor named by ${variable})`;
    return { name, version: command ? versionOf(command) : null, missing, start: () => start(command) };
  });
}

/** Opens `url` and waits for what it posts as `id`: { result, complaints }. The page is closed in any case. */
export async function visit(browser, server, url, id, seconds) {
  const { late, cancel } = deadline(seconds, url);
  const page = await browser.open(url);
  try {
    return { result: await Promise.race([server.result(id), late]), complaints: page.complaints };
  } catch (error) {
    throw new Error(`${error.message}${page.complaints.length > 0 ? `; the console says: ${page.complaints.join(" | ")}` : ""}`);
  } finally {
    cancel();
    await page.close();
  }
}
