/** Report files: the page's panels as one HTML document that needs nothing else, for a browser, a printer or an archive. */
import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import type { InspectReport } from "../inspectReport.ts";
import type { VerifyReport } from "../verify/report.ts";
import type { BenchReport } from "./benchReport.ts";
import { EnvironmentPanel, type Fact } from "./EnvironmentPanel.tsx";
import { InspectPanel } from "./InspectPanel.tsx";
import { attachPanels } from "./interact.ts";
import STYLE from "./panels.css?raw";
import { SpeedPanel } from "./SpeedPanel.tsx";
import { SqnrPanel } from "./SqnrPanel.tsx";
import { VerifyPanel } from "./VerifyPanel.tsx";

/** What a report file shows; panels without data are left out. */
export interface ReportContent {
  readonly model: string; // its name
  readonly inspect?: InspectReport;
  readonly verify?: VerifyReport;
  readonly bench?: BenchReport;
  readonly facts: readonly Fact[];
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Document({ model, inspect, verify, bench, facts }: ReportContent) {
  const noise = verify?.layers.some((layer) => layer.noise);
  return (
    <main id="report">
      <h1>{model}</h1>
      {inspect && (
        <Part title="Model">
          <InspectPanel report={inspect} />
        </Part>
      )}
      {verify && (
        <Part title="Verification">
          <VerifyPanel report={verify} />
        </Part>
      )}
      {verify && noise && (
        <Part title="Noise of quantization">
          <SqnrPanel report={verify} />
        </Part>
      )}
      {bench && (
        <Part title="Speed">
          <SpeedPanel report={bench} />
        </Part>
      )}
      <Part title="Environment">
        <EnvironmentPanel facts={facts} />
      </Part>
    </main>
  );
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** One HTML document of the panels. Its policy allows its own style and script, by their hashes, and nothing else: no network, no frames.
 *  Needs crypto.subtle, which pages have in secure contexts only. The same content gives the same bytes. */
export async function reportFile(content: ReportContent): Promise<string> {
  const script = `(${attachPanels.toString()})(document.getElementById("report"));`;
  const policy = `default-src 'none'; style-src ${await sha256(STYLE)}; script-src ${await sha256(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(content.model)} – bitexact report</title>
<style>${STYLE}</style>
</head>
<body>
${renderToString(<Document {...content} />)}
<script>${script}</script>
</body>
</html>
`;
}
