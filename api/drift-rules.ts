// Which differences between Git and the clusters are put right, told of or ignored: fields of Sync, and annotations of
// templates that say the same without one. Words and meaning of `ignoreDifferences` are those of Argo CD.
import { z } from "zod";
import type { KubeObject } from "../kube/object.ts";
import { parseApiVersion } from "../kube/object.ts";
import { parseYaml } from "../kube/yaml.ts";

/** What is done about changes by others to the copies of a template: correct (also when absent), report or pause. */
export const DRIFT_ANNOTATION = "gitops.flaghoist.io/drift";
/** A list as `ignoreDifferences` of a Sync, in JSON or YAML, about the template itself. */
export const IGNORE_DIFFERENCES_ANNOTATION = "gitops.flaghoist.io/ignore-differences";
/** A list as `driftRules` of a Sync; a Sync writes its own rules here. */
export const DRIFT_RULES_ANNOTATION = "gitops.flaghoist.io/drift-rules";

/** Why `jqPathExpressions` is refused, wherever it is written. */
export const NO_JQ =
  "jq expressions are not evaluated: name the fields by jsonPointers, or who writes them by managedFieldsManagers";

const MOST = 100;
const pointers = z.array(z.string().max(1_024)).max(MOST);
const managers = z.array(z.string().min(1).max(128)).max(MOST);

const which = {
  group: z.string().optional().describe("API group of the objects; empty is the core group. May hold * and ?."),
  kind: z.string().min(1).describe("Kind of the objects. May hold * and ?."),
  name: z.string().optional().describe("Name of the object; every one when empty."),
  namespace: z.string().optional().describe("Namespace of the objects; every one when empty."),
  jsonPointers: pointers.optional().describe("Fields, as JSON pointers such as /spec/replicas."),
  managedFieldsManagers: managers.optional().describe("Fields that one of these field managers owns in the cluster."),
  jqPathExpressions: z.array(z.string()).max(MOST).optional().describe("Not supported, and refused: use jsonPointers."),
};

export const ignoreDifferenceSchema = z.strictObject(which);
export type IgnoreDifference = z.infer<typeof ignoreDifferenceSchema>;

export const driftRuleSchema = z.strictObject({
  ...which,
  mode: z
    .enum(["correct", "report", "pause", "ignore"])
    .describe(
      "What to do about changes by others. correct: undo them. report: only tell. pause: let them be without a word. ignore: never send these fields again.",
    ),
});
export type DriftRule = z.infer<typeof driftRuleSchema>;

/** A rule that is about an object, without the words that chose it. */
export interface ObjectDriftRule {
  readonly mode: DriftRule["mode"];
  readonly jsonPointers: readonly string[];
  readonly managers: readonly string[];
}

/** What is wrong with a rule beyond its schema; undefined when nothing is. `field` names it in the message. */
export function driftRuleProblem(
  rule: IgnoreDifference | DriftRule,
): { readonly field: string; readonly value: unknown; readonly message: string } | undefined {
  const { jsonPointers = [], managedFieldsManagers = [], jqPathExpressions } = rule;
  if (jqPathExpressions !== undefined) return { field: "jqPathExpressions", value: jqPathExpressions, message: NO_JQ };
  const wrong = jsonPointers.findIndex((pointer) => !/^(\/([^~/]|~[01])*)+$/.test(pointer));
  if (wrong >= 0)
    return {
      field: `jsonPointers[${wrong}]`,
      value: jsonPointers[wrong],
      message: "must be a JSON pointer such as /spec/replicas; a slash in a key is written ~1",
    };
  const mode = "mode" in rule ? rule.mode : "ignore";
  if (mode === "ignore" && jsonPointers.length === 0 && managedFieldsManagers.length === 0)
    return { field: "", value: undefined, message: "must name jsonPointers or managedFieldsManagers" };
  return undefined;
}

/** The rules of a Sync that are about an object, those that ignore first. */
export function rulesAbout(
  object: KubeObject,
  spec: {
    readonly ignoreDifferences?: readonly IgnoreDifference[] | undefined;
    readonly driftRules?: readonly DriftRule[] | undefined;
  },
): ObjectDriftRule[] {
  const all: readonly DriftRule[] = [
    ...(spec.ignoreDifferences ?? []).map((rule) => ({ ...rule, mode: "ignore" as const })),
    ...(spec.driftRules ?? []),
  ];
  return all.filter((rule) => isAbout(rule, object) && driftRuleProblem(rule) === undefined).map(objectRule);
}

function objectRule({ mode, jsonPointers = [], managedFieldsManagers = [] }: DriftRule): ObjectDriftRule {
  return { mode, jsonPointers, managers: managedFieldsManagers };
}

// As Argo CD: group and kind are patterns, name and namespace are not.
function isAbout({ group = "", kind, name, namespace }: DriftRule, object: KubeObject): boolean {
  return (
    matchesGlob(group, parseApiVersion(object.apiVersion).group) &&
    matchesGlob(kind, object.kind) &&
    (!name || name === object.metadata.name) &&
    (!namespace || namespace === object.metadata.namespace)
  );
}

/** Linear in the length of the text for patterns of one star, and bounded by their product for more. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let place = 0;
  while (place < text.length) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = at++;
      resume = place;
    } else if (wanted === "?" || wanted === text[place]) {
      at++;
      place++;
    } else if (star >= 0) {
      at = star + 1;
      place = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** What the annotations of a template say about drift of its copies. */
export interface AnnotatedDrift {
  readonly mode: "correct" | "report" | "pause";
  readonly rules: readonly ObjectDriftRule[];
  /** What could not be read and counts as absent. */
  readonly problems: readonly string[];
}

const OWN_RULE = driftRuleSchema.partial({ kind: true });
const OWN_DIFFERENCE = ignoreDifferenceSchema.partial({ kind: true });

const LONGEST_TEXT = 65_536;
const READ = new WeakMap<object, AnnotatedDrift>();
const NOTHING: AnnotatedDrift = { mode: "correct", rules: [], problems: [] };

/** Never throws. The answer is remembered for the annotations. */
export function readDriftAnnotations(object: KubeObject): AnnotatedDrift {
  const { annotations } = object.metadata;
  if (annotations === undefined) return NOTHING;
  const known = READ.get(annotations);
  if (known !== undefined) return known;
  const read = readAnnotations(object, annotations);
  READ.set(annotations, read);
  return read;
}

function readAnnotations(object: KubeObject, annotations: Readonly<Record<string, string>>): AnnotatedDrift {
  const texts = [
    annotations[DRIFT_ANNOTATION],
    annotations[IGNORE_DIFFERENCES_ANNOTATION],
    annotations[DRIFT_RULES_ANNOTATION],
  ];
  if (texts.every((text) => text === undefined)) return NOTHING;
  const problems: string[] = [];
  const [mode] = texts;
  const isMode = mode === "correct" || mode === "report" || mode === "pause";
  if (mode !== undefined && !isMode)
    problems.push(
      `annotation ${DRIFT_ANNOTATION}: ${JSON.stringify(mode.slice(0, 64))} is not correct, report or pause`,
    );
  const driftRules = readList(DRIFT_RULES_ANNOTATION, annotations, OWN_RULE, problems);
  const ignored = readList(IGNORE_DIFFERENCES_ANNOTATION, annotations, OWN_DIFFERENCE, problems);
  const rules = rulesAbout(object, {
    // A template's own annotation need not repeat what the template is.
    ignoreDifferences: ignored.map((rule) => ({ ...rule, group: rule.group ?? "*", kind: rule.kind ?? "*" })),
    driftRules: driftRules.map((rule) => ({ ...rule, group: rule.group ?? "*", kind: rule.kind ?? "*" })),
  });
  return { mode: isMode ? mode : "correct", rules, problems };
}

function readList<T>(
  key: string,
  annotations: Readonly<Record<string, string>>,
  schema: z.ZodType<T>,
  problems: string[],
): T[] {
  const text = annotations[key];
  if (text === undefined || text.trim() === "") return [];
  const problem = (message: string): T[] => {
    problems.push(`annotation ${key}: ${message}`);
    return [];
  };
  if (text.length > LONGEST_TEXT) return problem(`is longer than ${LONGEST_TEXT} characters`);
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    return problem(error instanceof Error ? (error.message.split("\n")[0] ?? "") : "is neither JSON nor YAML");
  }
  const read = z.array(schema).max(MOST).safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const path = (issue?.path ?? []).map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
    return problem(`${path.join("")}${path.length === 0 ? "" : ": "}${issue?.message ?? "is not a list of rules"}`);
  }
  for (const [index, rule] of read.data.entries()) {
    // Checked by the schema but for the kind, which does not matter here.
    const wrong = driftRuleProblem(rule as IgnoreDifference | DriftRule);
    if (wrong !== undefined) problem(`[${index}]${wrong.field === "" ? "" : `.${wrong.field}`}: ${wrong.message}`);
  }
  return read.data;
}
