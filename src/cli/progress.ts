/** Progress line on stderr: one line rewritten in place, only on a terminal and only once a command has taken a second. */
import pc from "picocolors";
import type { Sink } from "./streams.ts";

const SILENT_MS = 1000;
const EVERY_MS = 100;

export interface Progress {
  update(done: number, total: number, what: string): void;
  clear(): void;
}

/** A progress line on `sink`; does nothing where `sink` is not a terminal. */
export function progressLine(sink: Sink): Progress {
  const start = performance.now();
  let last = start + SILENT_MS - EVERY_MS;
  let shown = false;
  return {
    update(done, total, what) {
      const now = performance.now();
      if (!sink.isTTY || now - last < EVERY_MS) return;
      last = now;
      shown = true;
      const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
      const width = (sink.columns ?? 80) - 1;
      const text = `${String(percent).padStart(3)} %  ${done} of ${total}  ${what}`.slice(0, width);
      sink.write(`\r\x1b[K${pc.dim(text)}`);
    },
    clear() {
      if (shown) sink.write("\r\x1b[K");
      shown = false;
    },
  };
}
