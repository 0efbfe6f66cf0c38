/** Types of browsers.mjs for tests in TypeScript. */
import type { serve } from "./server.mjs";

interface Page {
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

interface Browser {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

export function browsers(): {
  readonly name: string;
  readonly version: string | null;
  readonly missing: string | null;
  readonly start: () => Promise<Browser>;
}[];

export function visit(
  browser: Browser,
  server: Awaited<ReturnType<typeof serve>>,
  url: string,
  id: string,
  seconds: number,
): Promise<{ readonly result: unknown; readonly complaints: readonly string[] }>;
