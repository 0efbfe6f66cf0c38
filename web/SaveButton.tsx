/** Saves what the page shows as one report file, the same that the command line writes with --report. */
import { doctorFacts } from "../src/report/DoctorPanel.tsx";
import type { State } from "./story.ts";

async function save({ loaded, verify, bench, doctor }: State): Promise<void> {
  if (!loaded) return;
  const { reportFile } = await import("../src/report/file.tsx");
  const text = await reportFile({
    model: loaded.name,
    inspect: loaded.inspect,
    ...(verify ? { verify } : {}),
    ...(bench ? { bench } : {}),
    facts: doctor ? doctorFacts(doctor) : [],
  });
  const address = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: `${loaded.name}.report.html` });
  link.click();
  URL.revokeObjectURL(address);
}

/** Needs what browsers give secure pages only. */
export function SaveButton({ state }: { state: State }) {
  const secure = globalThis.isSecureContext;
  return (
    <p class="actions">
      <button type="button" disabled={!secure || state.busy !== null} onClick={() => void save(state)}>
        Save as a report file
      </button>
      {!secure && <small>Only pages at https: or localhost can.</small>}
    </p>
  );
}
