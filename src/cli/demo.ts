/** `npm start`: classifies real digits in integers with every bundled network and checks each layer against the simulation. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { type Feeds, loadModel, type Model, Session, type VerifyReport, verify } from "../index.ts";
import { readNpz } from "../io/npz.ts";
import { recordedSamples, samplesOf } from "../samples/cut.ts";
import { argmax, BUNDLED, type BundledModel, type Digits, digitTensor, modelsFolder, readDigits } from "./bundled.ts";
import { reportFailure } from "./failure.ts";
import { endOnClosedPipe } from "./streams.ts";
import { formatCount, formatTable, operatorLabel, plural, wrap } from "./table.ts";
import { verdictText } from "./verdict.ts";

const WIDTH = 80;
const SIMULATED_DIGITS = 4;

interface Outcome {
  readonly title: string;
  readonly accuracy: number;
  readonly microseconds: number;
  readonly recorded: VerifyReport;
  readonly simulated: VerifyReport;
}

function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

function introduce(): void {
  say(pc.bold("bitexact: quantized networks in integers, in WebAssembly SIMD, checked bit for bit"));
  say();
  say(
    wrap(
      `Engine: Node ${process.versions.node} (V8 ${process.versions.v8}) on ${process.arch}, ${cpus()[0]?.model ?? "unknown processor"}, one thread.`,
      WIDTH,
      "  ",
    ),
  );
  say(
    wrap(
      "Each network below was trained on real handwritten digits and quantized by AIMET. It runs here from its ONNX file and its .encodings alone, in integers.",
      WIDTH,
    ),
  );
}

const INK = " .:-=+*#%@";

/** Digit `index` as eight lines of text, two characters a pixel. */
function drawDigit({ images }: Digits, index: number): string[] {
  const shade = (pixel: number): string => INK.charAt(Math.round((pixel / 16) * (INK.length - 1))).repeat(2);
  return Array.from({ length: 8 }, (_, row) => Array.from(images.subarray(64 * index + 8 * row, 64 * index + 8 * row + 8), shade).join(""));
}

function showDigits(digits: Digits): void {
  const pictures = Array.from({ length: 4 }, (_, i) => drawDigit(digits, i));
  say();
  for (let row = 0; row < 8; row++) say(`  ${pictures.map((picture) => picture[row]).join("  ")}`.trimEnd());
  say(wrap(`${digits.count} test digits, 8×8 pixels; the first four are ${Array.from(digits.labels.subarray(0, 4)).join(", ")}.`, WIDTH));
}

interface Classified {
  readonly correct: number;
  readonly microseconds: number; // median of one image
}

function classify(session: Session, model: Model, digits: Digits): Classified {
  const input = model.inputs[0]?.name ?? "";
  const output = model.outputs[0]?.name ?? "";
  const times: number[] = [];
  let correct = 0;
  for (let i = 0; i < digits.count; i++) {
    const feeds = { [input]: digitTensor(digits, i, model) };
    const start = performance.now();
    const result = session.runSync(feeds);
    times.push(performance.now() - start);
    if (argmax(result[output]?.data as Float32Array) === digits.labels[i]) correct++;
  }
  times.sort((a, b) => a - b);
  return { correct, microseconds: 1000 * (times[times.length >> 1] ?? 0) };
}

/** One row per layer: elements and how many of them differ, against the recording and against the double-precision simulation. */
function comparisonTable(recorded: VerifyReport, simulated: VerifyReport): string {
  const byTensor = new Map(recorded.layers.map((layer) => [layer.tensor, layer.local]));
  const rows = simulated.layers.map(({ tensor, op, local }) => {
    const row = byTensor.get(tensor);
    return [
      tensor,
      operatorLabel(op),
      row ? formatCount(row.elements) : "–",
      row ? formatCount(row.elements - row.equal) : "–",
      local ? formatCount(local.elements) : "–",
      local ? formatCount(local.elements - local.equal) : "–",
    ];
  });
  const columns = [
    { title: "layer output", align: "left", shrink: true },
    { title: "op", align: "left", shrink: true },
    { title: "recorded" },
    { title: "differ" },
    { title: "simulated" },
    { title: "differ" },
  ] as const;
  return formatTable(columns, rows, WIDTH);
}

async function show(bundled: BundledModel, digits: Digits, root: string): Promise<Outcome> {
  const folder = join(root, bundled.folder);
  say();
  say(pc.bold(bundled.title));
  say(wrap(`${bundled.about}.`, WIDTH));
  const start = performance.now();
  const model = await loadModel(join(folder, "model.onnx"), { encodings: join(folder, "model.encodings") });
  const loaded = performance.now();
  const session = await Session.create(model);
  const created = performance.now();
  const { correct, microseconds } = classify(session, model, digits);
  say(
    wrap(
      `Loaded in ${(loaded - start).toFixed(1)} ms, ready in ${(created - loaded).toFixed(1)} ms, kernels ${session.variant}, target ${session.target}.`,
      WIDTH,
    ),
  );
  say(
    `${pc.bold(`${correct} of ${digits.count} digits right (${((100 * correct) / digits.count).toFixed(1)} %), ${microseconds.toFixed(0)} µs per image`)} (median).`,
  );
  session.dispose();
  const read = (name: string): ReturnType<typeof readNpz> => readNpz(new Uint8Array(readFileSync(join(folder, name))));
  const samples = samplesOf(model, read("inputs.npz"));
  const recorded = await verify(model, samples, { against: recordedSamples(read("sim.npz"), samples.length), mode: "local" });
  const feeds: Feeds[] = Array.from({ length: SIMULATED_DIGITS }, (_, i) => ({
    [model.inputs[0]?.name ?? ""]: digitTensor(digits, i, model),
  }));
  const simulated = await verify(model, feeds, { against: "sim-f64", mode: "local" });
  say();
  say(comparisonTable(recorded, simulated));
  say();
  for (const report of [recorded, simulated]) say(verdictText(report, WIDTH));
  return { title: bundled.folder, accuracy: correct / digits.count, microseconds, recorded, simulated };
}

function summarize(outcomes: readonly Outcome[], seconds: number): void {
  say();
  say(pc.bold("Summary"));
  const rows = outcomes.map(({ title, accuracy, microseconds, recorded, simulated }) => [
    title,
    `${(100 * accuracy).toFixed(1)} %`,
    `${microseconds.toFixed(0)} µs`,
    recorded.verdict,
    simulated.verdict,
  ]);
  say(
    formatTable(
      [
        { title: "network", align: "left", shrink: true },
        { title: "digits right" },
        { title: "per image" },
        { title: "= recording" },
        { title: "= simulation" },
      ],
      rows,
      WIDTH,
    ),
  );
  const totals = outcomes.flatMap(({ recorded, simulated }) => [recorded.totals.local, simulated.totals.local]);
  const elements = totals.reduce((sum, counts) => sum + (counts?.elements ?? 0), 0);
  const equal = totals.reduce((sum, counts) => sum + (counts?.equal ?? 0), 0);
  say();
  say(`${formatCount(equal)} of ${plural(elements, "compared element")} equal, in ${seconds.toFixed(1)} s.`);
  const verdicts = outcomes.flatMap(({ recorded, simulated }) => [recorded.verdict, simulated.verdict]);
  if (verdicts.includes("explained") && !verdicts.includes("mismatch")) {
    say(
      wrap(
        "The others are explained: the exact value there is so near a rounding tie that float32, which AIMET simulates in, cannot tell the sides apart.",
        WIDTH,
      ),
    );
  }
  say();
  say(pc.bold("Where to look next"));
  say("  node dist/cli.js inspect models/digits_cnn/w8a8_pc/model.onnx \\");
  say("       -e models/digits_cnn/w8a8_pc/model.encodings");
  say("  node dist/cli.js verify models/conv1d/w8a16_pc/model.onnx \\");
  say("       -e models/conv1d/w8a16_pc/model.encodings --random 1 --samples 20");
  say("  node dist/cli.js --help      README.md      docs/numerics.md      ARCHITECTURE.md");
}

async function demo(): Promise<number> {
  const start = performance.now();
  const root = modelsFolder();
  const digits = readDigits(root);
  introduce();
  showDigits(digits);
  const outcomes: Outcome[] = [];
  for (const bundled of BUNDLED) outcomes.push(await show(bundled, digits, root));
  summarize(outcomes, (performance.now() - start) / 1000);
  return outcomes.some(({ recorded, simulated }) => recorded.verdict === "mismatch" || simulated.verdict === "mismatch") ? 1 : 0;
}

endOnClosedPipe(process.stdout);
process.exitCode = await demo().catch((error: unknown) => reportFailure(error, process.stderr));
