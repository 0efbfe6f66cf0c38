/** Operators that are refused for a reason, and what to do instead. Others are refused as unknown. */

export interface Refusal {
  readonly types: readonly string[];
  readonly reason: string;
}

export const UNSUPPORTED: readonly Refusal[] = [
  {
    types: ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"],
    reason: "it draws random numbers, and a result would not be reproducible; make what it draws an input of the model",
  },
  {
    types: [
      "SequenceAt",
      "SequenceConstruct",
      "SequenceEmpty",
      "SequenceErase",
      "SequenceInsert",
      "SequenceLength",
      "SequenceMap",
      "ConcatFromSequence",
      "SplitToSequence",
      "Optional",
      "OptionalGetElement",
      "OptionalHasElement",
    ],
    reason: "values are tensors, not sequences or optionals; export with tensors of fixed number",
  },
  {
    types: ["StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch", "TfIdfVectorizer"],
    reason: "values are numbers, not strings; run it before the model",
  },
  {
    types: ["Adagrad", "Adam", "Gradient", "Momentum"],
    reason: "it belongs to training; cut the graph before it",
  },
  { types: ["ImageDecoder"], reason: "it reads compressed images; decode them before the model" },
];

const BY_TYPE: ReadonlyMap<string, string> = new Map(
  UNSUPPORTED.flatMap(({ types, reason }) => types.map((type): [string, string] => [type, reason])),
);

/** Why an operator is refused, and what to do. */
export function adviceOn(type: string): string {
  return BY_TYPE.get(type) ?? "docs/operators.md lists those that are; replace it before export";
}
