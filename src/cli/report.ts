/** `--report FILE.html`: the result as one self-contained page. */
import { writeFileSync } from "node:fs";
import type { ReportContent } from "../report/file.tsx";
import { engineFacts } from "./engineFacts.ts";

export const REPORT_FLAG = "--report <file.html>";
export const REPORT_HELP = "also write the result as one HTML file that needs nothing else";

/** Writes the panels of `content` where `--report` says. */
export async function writeReport(content: ReportContent, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const { reportFile } = await import("../report/file.tsx");
  writeFileSync(file, await reportFile({ ...content, facts: [...content.facts, ...engineFacts()] }));
}
