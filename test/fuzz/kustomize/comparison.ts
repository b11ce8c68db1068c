// Whether two builds of the same input agree.

/** The category of an exception of ours that is no `AppError`: always a difference. */
export const BUG = "bug";

/** How a build ended. */
export interface Outcome {
  /** Standard output of a build that succeeded. */
  readonly output?: string;
  readonly failure?: {
    /** A word of the vectors' expected-error.txt; undefined when the message is of no known category. */
    readonly category: string | undefined;
    readonly message: string;
  };
  /** Texts about deprecated fields, in order; undefined when they cannot be told. */
  readonly warnings: readonly string[] | undefined;
}

export interface Difference {
  /** Stays the same while an input is made smaller: what kind of difference it is. */
  readonly kind: string;
  /** For a person: what was expected and what came. */
  readonly text: string;
}

/** Where our outcome is not what kustomize's is; undefined when they agree. */
export function compareOutcomes(real: Outcome, ours: Outcome): Difference | undefined {
  if (ours.failure?.category === BUG) {
    return { kind: `bug: ${ours.failure.message.split("\n")[0]}`, text: ours.failure.message };
  }
  // Where kustomize dies, anything is better.
  if (real.failure?.category === "crash") return undefined;
  if (real.failure === undefined && ours.failure === undefined) {
    return compareTexts("output", real.output ?? "", ours.output ?? "") ?? compareWarnings(real, ours);
  }
  if (real.failure === undefined) {
    const { category, message } = ours.failure!;
    return {
      kind: `only ours fails: ${category}`,
      text: `kustomize builds it, ours fails with ${category}: ${message}`,
    };
  }
  const { category, message } = real.failure;
  if (ours.failure === undefined) {
    return {
      kind: `only kustomize fails: ${category}`,
      text: `ours builds it, kustomize fails with ${category}: ${message}`,
    };
  }
  // A tab in a block scalar, or YAML of a configuration: nobody gave it a word.
  if (category === undefined && /^Error: (?:error converting YAML to JSON: )?yaml: /.test(message)) return undefined;
  if (category === undefined) {
    const text = `a message without a category (test/fuzz/kustomize/error-category.ts): ${message}\nours: ${ours.failure.category}: ${ours.failure.message}`;
    return { kind: "uncategorised", text };
  }
  if (category === ours.failure.category) return compareWarnings(real, ours);
  const text = `kustomize fails with ${category}: ${message}\nours with ${ours.failure.category}: ${ours.failure.message}`;
  return { kind: `category: ${category}, ours ${ours.failure.category}`, text };
}

function compareWarnings(real: Outcome, ours: Outcome): Difference | undefined {
  if (real.warnings === undefined || ours.warnings === undefined) return undefined;
  return compareTexts("warnings", real.warnings.join("\n"), ours.warnings.join("\n"));
}

/** The lines around the first that differs; undefined for equal texts. */
export function compareTexts(kind: string, expected: string, actual: string): Difference | undefined {
  if (expected === actual) return undefined;
  const left = expected.split("\n");
  const right = actual.split("\n");
  const found = left.findIndex((line, index) => line !== right[index]);
  const at = found < 0 ? left.length : found;
  const around = (lines: readonly string[]): string => lines.slice(Math.max(at - 3, 0), at + 6).join("\n");
  return {
    kind: `${kind} at ${keyOf(left[at])} / ${keyOf(right[at])}`,
    text: `${kind} differs from line ${at + 1}\nexpected:\n${around(left)}\ngot:\n${around(right)}`,
  };
}

/** The field that a line sets: differences at other fields are others. */
function keyOf(line: string | undefined): string {
  return line === undefined ? "the end" : line.trim().split(":")[0]!.slice(0, 30);
}
