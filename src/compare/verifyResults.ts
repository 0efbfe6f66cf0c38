/** Two verifications of one model: verdict, coverage, then layers by how many elements are unexplained, undecided, explained. */
import { type Change, type Difference, differing, type Figure, type Findings, paired } from "./report.ts";
import type { VerifyResult } from "./schema.ts";

type Layer = VerifyResult["layers"][number];

const VERDICTS = ["exact", "explained", "undecided", "mismatch"];

/** Figures of which more is worse, the gravest first. */
const GROWING: Readonly<Record<string, (layer: Layer) => Figure>> = {
  unexplained: ({ local }) => local?.unexplained ?? null,
  undecided: ({ local }) => local?.undecided ?? null,
  explained: ({ local }) => local?.explained ?? null,
  maxLsb: ({ local }) => local?.maxLsb ?? null,
  "endToEnd.differing": ({ endToEnd }) => endToEnd?.differing ?? null,
  "endToEnd.maxLsb": ({ endToEnd }) => endToEnd?.maxLsb ?? null,
};

/** Figures that are neither good nor bad. */
const NEUTRAL: Readonly<Record<string, (layer: Layer) => Figure>> = {
  op: ({ op }) => op,
  elements: ({ local, endToEnd }) => (local ?? endToEnd)?.elements ?? null,
};

/** Differences of signal-to-noise below this, in dB, are those of an engine's logarithm. */
const SAME_SQNR = 0.01;

/** Compares counts exactly; signal-to-noise to a hundredth of a decibel. */
export function compareVerify(before: VerifyResult, after: VerifyResult): Findings {
  const { pairs, appeared, vanished } = paired(before.layers, after.layers, ({ tensor }) => tensor);
  const modes = { local: bothHave(before, after, "local"), endToEnd: bothHave(before, after, "endToEnd") };
  const judged = pairs.map(([old, fresh]) => judge(comparable(old, modes), comparable(fresh, modes)));
  const bad = appeared.filter(({ local }) => (local?.unexplained ?? 0) + (local?.undecided ?? 0) > 0);
  const layer = ({ tensor }: Layer) => ({ scope: "layer", subject: tensor });
  const of = (outcome: string): Change[] => judged.filter((one) => one.outcome === outcome).map(({ change }) => change);
  const worse = [...of("worse"), ...bad.map((fresh) => ({ ...layer(fresh), differences: alone(fresh) }))];
  const model = wholeModel(before, after);
  return {
    settings: differing(before, after, {
      target: ({ target }) => target,
      variant: ({ variant }) => variant,
      against: ({ against }) => against,
      mode: ({ totals }) => (totals.local ? (totals.endToEnd ? "both" : "local") : totals.endToEnd ? "endToEnd" : "none"),
    }),
    worse: [...model.worse, ...worse.sort(byGravity)],
    changed: of("changed"),
    better: [...model.better, ...of("better").sort(byGravity)],
    appeared: appeared.map(layer),
    vanished: vanished.map(layer),
    unchanged: judged.filter(({ outcome }) => outcome === "same").length,
  };
}

function bothHave(before: VerifyResult, after: VerifyResult, mode: "local" | "endToEnd"): boolean {
  return before.totals[mode] !== null && after.totals[mode] !== null;
}

/** The layer with the modes that both results have. */
function comparable(layer: Layer, modes: { readonly local: boolean; readonly endToEnd: boolean }): Layer {
  return { ...layer, local: modes.local ? layer.local : null, endToEnd: modes.endToEnd ? layer.endToEnd : null };
}

function wholeModel(before: VerifyResult, after: VerifyResult): { readonly worse: Change[]; readonly better: Change[] } {
  const rank = ({ verdict }: VerifyResult): number => VERDICTS.indexOf(verdict);
  const figures = { verdict: (result: VerifyResult) => result.verdict, matched: (result: VerifyResult) => result.coverage.matched };
  const differences = differing(before, after, figures);
  const step = rank(after) - rank(before) || before.coverage.matched - after.coverage.matched;
  const change = { scope: "model", subject: "model", differences };
  return { worse: step > 0 ? [change] : [], better: step < 0 ? [change] : [] };
}

interface Judged {
  readonly outcome: "worse" | "better" | "changed" | "same";
  readonly change: Change;
}

/** The gravest figure that differs decides. A layer that is no longer compared in a mode got worse. */
function judge(before: Layer, after: Layer): Judged {
  const graver = differing(before, after, GROWING);
  const noise = sqnrDifference(before, after);
  const differences = [...graver, ...noise, ...differing(before, after, NEUTRAL)];
  const change = { scope: "layer", subject: after.tensor, differences };
  const [first] = graver;
  if (first) return { outcome: step(first) > 0 ? "worse" : "better", change };
  if (noise[0]) return { outcome: decibels(noise[0].after) < decibels(noise[0].before) ? "worse" : "better", change };
  return { outcome: differences.length > 0 ? "changed" : "same", change };
}

/** Positive when it got worse; what is not compared counts as more than anything. */
function step({ before, after }: Difference): number {
  return after === null ? 1 : before === null ? -1 : Number(after) - Number(before);
}

function sqnrDifference({ endToEnd: before }: Layer, { endToEnd: after }: Layer): Difference[] {
  if (!before || !after || before.sqnrDb === after.sqnrDb) return [];
  const close = before.sqnrDb !== null && after.sqnrDb !== null && Math.abs(before.sqnrDb - after.sqnrDb) < SAME_SQNR;
  return close ? [] : [{ what: "endToEnd.sqnrDb", before: before.sqnrDb, after: after.sqnrDb }];
}

function decibels(value: Figure): number {
  return value === null ? Number.POSITIVE_INFINITY : Number(value);
}

function alone(layer: Layer): Difference[] {
  return ["unexplained", "undecided"].flatMap((what) => {
    const after = GROWING[what]?.(layer) ?? null;
    return after ? [{ what, before: null, after }] : [];
  });
}

/** The gravest figure first, then the largest step in it. */
function byGravity(a: Change, b: Change): number {
  const order = Object.keys(GROWING);
  const key = ({ differences: [first] }: Change): [number, number] =>
    first && order.includes(first.what) ? [order.indexOf(first.what), Math.abs(step(first))] : [order.length, 0];
  const [[rankA, stepA], [rankB, stepB]] = [key(a), key(b)];
  return rankA - rankB || stepB - stepA;
}
