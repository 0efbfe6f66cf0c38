/** How the page looks and reads: at every width, in both themes, to people and to screen readers; a screenshot of each panel. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundled } from "../cli/commandLine.ts";
import { CHROMIUM, type Opened, type Stage, stage } from "./open.ts";

const conv = bundled("conv1d/w8a16_pc");
/** With BITEXACT_RECORD=1 the screenshots are kept where README and docs show them. */
const IMAGES = process.env.BITEXACT_RECORD ? join(import.meta.dirname, "../../docs/images") : null;

const KEPT = ["360-dark", "1600-light"];

function keep(name: string, picture: Buffer): void {
  expect(picture.length, name).toBeGreaterThan(2000);
  if (!IMAGES) return;
  mkdirSync(IMAGES, { recursive: true });
  writeFileSync(join(IMAGES, `${name}.png`), picture);
}

/** Ratios of luminance, as WCAG defines them, of pairs of the page's colours. */
function contrasts(pairs: readonly (readonly [string, string])[]): number[] {
  const style = getComputedStyle(document.documentElement);
  const luminance = (name: string): number => {
    const hex = style
      .getPropertyValue(`--${name}`)
      .trim()
      .replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3");
    const [r, g, b] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map(([a, b]) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
    return (light + 0.05) / (dark + 0.05);
  });
}

const TEXT = [
  ["ink", "ground"],
  ["ink", "raised"],
  ["faint", "ground"],
  ["faint", "raised"],
  ["blue", "ground"],
  ["blue", "raised"],
  ["orange", "ground"],
  ["orange", "raised"],
  ["ink", "blue-soft"],
  ["ink", "orange-soft"],
] as const;

describe.skipIf(!CHROMIUM)("the page's looks", () => {
  let there: Stage;
  beforeAll(async () => {
    there = await stage();
  });
  afterAll(() => there?.close());

  /** The whole story of a network that differs here and there from the simulation in single precision. */
  const told = async (options: Parameters<Stage["open"]>[1]): Promise<Opened> => {
    const opened = await there.open("isolated", options);
    const { page } = opened;
    await page.setInputFiles("#picker", [conv.model, conv.encodings]);
    await page.waitForSelector("main[data-state=ready]");
    await page.click("#run button:text-is('Run')");
    await page.waitForSelector("[data-run]");
    await page.selectOption("#against", "sim-f32");
    await page.fill("label:has-text('Samples') input", "24");
    await page.click("text=Verify");
    await page.waitForSelector("[data-panel=sqnr]");
    await page.click("text=Measure");
    await page.waitForSelector("[data-panel=speed]");
    await page.waitForSelector("[data-panel=doctor]");
    await page.click("[data-panel=verify] tbody[data-layer] button[data-toggle] >> nth=0");
    return opened;
  };

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [360, 768, 1600]) {
      it(`at ${width} pixels, ${colorScheme}: nothing runs over the edge, and what overflows scrolls by itself`, async () => {
        const { page, complaints } = await told({ viewport: { width, height: 900 }, colorScheme });
        const [needed, given] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        expect(needed).toBeLessThanOrEqual(given!);
        const outside = await page.$$eval("main *", (elements) =>
          elements
            .filter((element) => !element.closest(".scroll") && element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => element.outerHTML.slice(0, 80)),
        );
        expect(outside).toEqual([]);
        const kept = KEPT.includes(`${width}-${colorScheme}`);
        if (kept) keep(`page-${width}-${colorScheme}`, await page.screenshot());
        expect(complaints).toEqual([]);
        await page.context().close();
      });
    }

    it(`text has a contrast of at least 4.5 on what it stands on, ${colorScheme}`, async () => {
      const { page } = await there.open("plain", { colorScheme });
      for (const [i, ratio] of (await page.evaluate(contrasts, TEXT)).entries()) expect(ratio, TEXT[i]!.join(" on ")).toBeGreaterThan(4.5);
      await page.context().close();
    });
  }

  it("every panel can be seen, and every control, picture and table has a name that is read out", async () => {
    const { page } = await told({ viewport: { width: 1100, height: 900 } });
    for (const panel of ["inspect", "verify", "sqnr", "speed", "doctor"]) {
      const shown = page.locator(`[data-panel=${panel}]`);
      keep(`panel-${panel}`, await shown.screenshot());
    }
    const tree = await page.locator("#page").ariaSnapshot();
    const nameless = tree
      .split("\n")
      .filter((line) => /- (button|textbox|searchbox|spinbutton|combobox|checkbox|radio|img|progressbar|region)(?! "|:? \/)/.test(line));
    expect(nameless).toEqual([]);
    expect(tree).toMatch(/heading "BitExact" \[level=1\]/);
    expect(tree).toMatch(/status: /);
    await page.context().close();
  });

  it("is usable by keyboard alone: the sample's button is the first stop, and what is focused can be seen", async () => {
    const { page } = await there.open("plain");
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => ({
      text: document.activeElement?.textContent,
      outline: getComputedStyle(document.activeElement!).outlineStyle,
    }));
    expect(focused).toEqual({ text: "Try the sample", outline: "solid" });
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-panel=verify]");
    await page.context().close();
  });
});
