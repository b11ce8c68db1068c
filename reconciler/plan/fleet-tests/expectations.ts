// Whether what a fleet test expects holds of the outcomes of a world: pure, each failure with its reason.
import type { Cluster } from "../../../api/cluster.ts";
import type { Expectations, TestedClusters, TestedField, WhenLost } from "../../../api/fleet-test.ts";
import { nearest } from "../../../api/nearest.ts";
import { equalJson, isObject, type KubeObject } from "../../../kube/object.ts";
import { compileRegex } from "../../../kube/regex/regex.ts";
import { RegexError } from "../../../kube/regex/syntax.ts";
import type { Copy } from "../copy.ts";
import { overriddenFields, type PolicyOrigin } from "../overridden-fields.ts";
import { LOSS_KINDS, type Loss, lossesOf, zonesOf } from "../possible-losses.ts";
import type { ReplicaMinimum } from "../replica-minimum.ts";
import { overrideWriter } from "../report-words.ts";
import type { Outcome } from "../river.ts";
import type { Survival } from "../what-if.ts";
import { type FoundField, fieldsAt, imagesOf, isHiddenField, wholeImage } from "./copy-fields.ts";
import { clustersText, fitsPattern, selectsCluster } from "./patterns.ts";

/** What tests are run on. */
export interface TestedFleet {
  readonly clusters: readonly Cluster[];
  /** What is left of an object when these clusters are lost; undefined when it has no replicas there. */
  readonly survival: (outcome: Outcome, loss: Loss) => Survival | undefined;
  /** What the budgets of its Pods have it keep, of so many replicas. */
  readonly minimum: (outcome: Outcome, replicas: number) => ReplicaMinimum;
  /** Where an override is written. */
  readonly policyOrigin?: PolicyOrigin;
  /** Where an object is written: `apps/web.yaml:3`. */
  readonly originOf: (object: KubeObject) => string | undefined;
}

/** Objects whose numbers are counted together. */
export interface Subject {
  /** `Deployment shop/web`, `4 objects`. */
  readonly name: string;
  readonly outcomes: readonly Outcome[];
}

export interface Failure {
  /** What was found and what was expected, in a sentence. */
  readonly words: string;
  readonly details: readonly string[];
}

function isFailure(answer: Failure | ReadonlySet<string> | readonly unknown[]): answer is Failure {
  return "words" in answer;
}

type Check<K extends keyof Expectations> = (
  expected: NonNullable<Expectations[K]>,
  subject: Subject,
  fleet: TestedFleet,
) => readonly Failure[];

const CHECKS: { readonly [K in keyof Required<Expectations>]: Check<K> } = {
  replicas: (expected, subject, fleet) => {
    const counted = copiesOn(subject, expected.in, fleet);
    if (isFailure(counted)) return [counted];
    const found = counted.reduce((sum, { copy }) => sum + replicasOf(copy), 0);
    const each = counted.map(({ copy }) => `${copy.cluster}: ${replicasOf(copy)}`);
    return checkAmount(found, expected, "replica", subject, expected.in, each);
  },
  copies: (expected, subject, fleet) => {
    const counted = copiesOn(subject, expected.in, fleet);
    if (isFailure(counted)) return [counted];
    const each = counted.map(({ copy }) => copy.cluster);
    return checkAmount(counted.length, expected, "copy", subject, expected.in, each);
  },
  survives: checkSurvival,
  onlyOn: (expected, subject, { clusters }) => {
    const allowed = namesOf(expected, clusters);
    if (isFailure(allowed)) return [allowed];
    const others = allCopies(subject).filter(({ copy }) => !allowed.has(copy.cluster));
    return placesFailure(others, `${subject.name} is to be only on ${clustersText(expected)}`, clusters, " more");
  },
  neverOn: (expected, subject, { clusters }) => {
    const forbidden = namesOf(expected, clusters);
    // What no cluster is any more is no harm, unless it was meant to be something else.
    if (isFailure(forbidden)) return forbidden.words.endsWith("?") ? [forbidden] : [];
    const there = allCopies(subject).filter(({ copy }) => forbidden.has(copy.cluster));
    return placesFailure(there, `${subject.name} is never to be on ${clustersText(expected)}`, clusters);
  },
  presentOn: (expected, subject, { clusters }) => {
    const wanted = namesOf(expected, clusters);
    if (isFailure(wanted)) return [wanted];
    return subject.outcomes.flatMap((outcome) => {
      const there = new Set(outcome.copies.map(({ cluster }) => cluster));
      const missing = [...wanted].filter((name) => !there.has(name)).sort();
      if (missing.length === 0) return [];
      const where = `${count(missing.length, "cluster")} of ${clustersText(expected)}`;
      return [{ words: `${nameOf(outcome)} is missing on ${where}`, details: [...missing, ...whyOf(outcome)] }];
    });
  },
  absent: (_, subject, { clusters }) =>
    placesFailure(allCopies(subject), `${subject.name} is to be on no cluster`, clusters),
  spread: ({ over, atLeast }, subject, { clusters }) => {
    const there = new Set(allCopies(subject).map(({ copy }) => copy.cluster));
    const found = new Set(
      clusters.filter(({ metadata }) => there.has(metadata.name ?? "")).flatMap((cluster) => partsOf(over, cluster)),
    );
    if (found.size >= atLeast) return [];
    const names = [...found].sort();
    const on = names.length === 0 ? "" : ` (${names.join(", ")})`;
    const words = `${subject.name} is spread over ${count(found.size, over)}${on}, expected at least ${atLeast}`;
    return [{ words, details: subject.outcomes.flatMap(whyOf) }];
  },
  images: (expected, subject, fleet) => {
    const { allow, deny = [], in: on } = expected;
    const looked = copiesOn(subject, on, fleet);
    if (isFailure(looked)) return [looked];
    const fits = (image: string, patterns: readonly string[]): boolean =>
      patterns.some((pattern) => fitsPattern(image, pattern) || fitsPattern(wholeImage(image), pattern));
    const wrong = looked.flatMap(({ outcome, copy }) =>
      imagesOf(copy.manifest).flatMap((field): Found[] => {
        const image = String(field.value);
        const isWrong = (allow !== undefined && !fits(image, allow)) || fits(image, deny);
        return isWrong ? [{ outcome, copy, field }] : [];
      }),
    );
    if (wrong.length === 0) return [];
    const images = new Set(wrong.map(({ field }) => String(field.value)));
    const rule = allow === undefined ? `none of ${deny.join(", ")} is allowed` : `only ${allow.join(", ")} is allowed`;
    const words = `${count(images.size, "image")} of ${subject.name} that ${images.size === 1 ? "does" : "do"} not fit: ${rule}`;
    return [{ words, details: foundLines(wrong, fleet) }];
  },
  fields: (expected, subject, fleet) => expected.flatMap((field) => checkField(field, subject, fleet)),
};

/** What does not hold, in the order of the schema. */
export function failuresOf(expect: Expectations, subject: Subject, fleet: TestedFleet): Failure[] {
  const failures: Failure[] = [];
  const check = <K extends keyof Expectations>(key: K): void => {
    const expected = expect[key];
    if (expected === undefined) return;
    // The check of a key takes what that key expects.
    const run = CHECKS[key] as Check<K>;
    failures.push(...run(expected as NonNullable<Expectations[K]>, subject, fleet));
  };
  for (const key of Object.keys(CHECKS)) check(key as keyof Expectations);
  return failures;
}

function checkSurvival(
  { whenLost, atLeast, counting }: NonNullable<Expectations["survives"]>,
  { name, outcomes }: Subject,
  fleet: TestedFleet,
): readonly Failure[] {
  const losses = lossesMeant(whenLost, fleet.clusters);
  if (isFailure(losses)) return [losses];
  const budgets = new Set<string>();
  const failures = losses.flatMap(
    (loss): { readonly left: number; readonly needed: number; readonly line: string }[] => {
      let [placed, atOnce, recovered, needed] = [0, 0, 0, atLeast === "budget" ? 0 : atLeast];
      for (const outcome of outcomes) {
        const all = (outcome.binding?.spec.clusters ?? []).reduce((sum, { replicas = 0 }) => sum + replicas, 0);
        const survival = fleet.survival(outcome, loss);
        placed += all;
        if (atLeast === "budget") {
          const { minimum, from } = fleet.minimum(outcome, all);
          needed += minimum;
          if (from !== undefined) budgets.add(from);
        }
        atOnce += survival?.kept ?? all;
        recovered += survival?.recovered ?? all;
      }
      const left = counting === "atOnce" ? atOnce : recovered;
      if (left >= needed) return [];
      const later = recovered > atOnce ? `, ${recovered} with failover` : "";
      return [{ left, needed, line: `${loss.what} ${loss.name}: ${atOnce} of ${placed} go on${later}` }];
    },
  );
  const [worst] = failures.toSorted((a, b) => a.left - b.left);
  if (worst === undefined) return [];
  const how = counting === "atOnce" ? "" : ", after failover";
  const lost = worst.line.slice(0, worst.line.indexOf(":"));
  const [budget, ...others] = budgets;
  const by = budget === undefined ? "" : ` (${budget}${others.length === 0 ? "" : ` and ${others.length} more`})`;
  const words = `${name} has ${count(worst.left, "replica")} when ${lost} is lost${how}, expected at least ${worst.needed}${by}`;
  return [{ words, details: [...failures.map(({ line }) => line), ...outcomes.flatMap(whyOf)] }];
}

function lossesMeant(whenLost: WhenLost, clusters: readonly Cluster[]): Loss[] | Failure {
  const { any } = whenLost;
  if (any !== undefined) {
    const losses = lossesOf(any, clusters);
    return losses.length > 0 ? losses : { words: `no cluster has a ${any} that could be lost`, details: [] };
  }
  const kind = LOSS_KINDS.find((each) => whenLost[each] !== undefined) ?? "cluster";
  const name = whenLost[kind] ?? "";
  const all = lossesOf(kind, clusters);
  const found = all.filter((loss) => loss.name === name);
  if (found.length > 0) return found;
  return {
    words: `the fleet has no ${kind} ${name}${hint(
      name,
      all.map((loss) => loss.name),
    )}`,
    details: [],
  };
}

function checkField(expected: TestedField, subject: Subject, fleet: TestedFleet): readonly Failure[] {
  const { path, equals, matches, absent, in: on } = expected;
  const looked = copiesOn(subject, on, fleet);
  if (isFailure(looked)) return [looked];
  const secret = looked.find(({ copy }) => isHiddenField(copy.manifest, path) && copy.manifest.kind === "Secret");
  if (secret !== undefined)
    return [{ words: `${path} of ${nameOf(secret.outcome)} is not compared: it may be secret`, details: [] }];
  const wanted =
    absent === true ? "to be absent" : matches === undefined ? `${printed(equals)}` : `text that matches ${matches}`;
  const wrong: Found[] = looked.flatMap(({ outcome, copy }): Found[] => {
    const found = fieldsAt(copy.manifest, path);
    if (absent === true) return found.map((field) => ({ outcome, copy, field }));
    if (found.length === 0) return [{ outcome, copy, field: { path, value: undefined } }];
    return found.filter(({ value }) => !holds(value, equals, matches)).map((field) => ({ outcome, copy, field }));
  });
  if (wrong.length === 0) return [];
  const words = `${path} of ${subject.name} is not as expected on ${count(new Set(wrong.map(({ copy }) => copy.cluster)).size, "cluster")}: expected ${wanted}`;
  return [{ words, details: foundLines(wrong, fleet) }];
}

function holds(value: unknown, equals: unknown, matches: string | undefined): boolean {
  if (matches === undefined) return equalJson(plain(value), plain(equals));
  const regex = compileRegex(matches);
  return !(regex instanceof RegexError) && typeof value !== "object" && regex.test(String(value));
}

/** Numbers of manifests may be whole ones without bound. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, plain(child)])) : value;
}

interface PlacedCopy {
  readonly outcome: Outcome;
  readonly copy: Copy;
}

interface Found extends PlacedCopy {
  readonly field: FoundField;
}

function allCopies({ outcomes }: Subject): PlacedCopy[] {
  return outcomes.flatMap((outcome) => outcome.copies.map((copy) => ({ outcome, copy })));
}

function copiesOn(subject: Subject, on: TestedClusters | undefined, { clusters }: TestedFleet): PlacedCopy[] | Failure {
  const all = allCopies(subject);
  if (on === undefined) return all;
  const names = namesOf(on, clusters);
  return isFailure(names) ? names : all.filter(({ copy }) => names.has(copy.cluster));
}

/** A selection of no cluster is a slip more often than not. */
function namesOf(selection: TestedClusters, clusters: readonly Cluster[]): ReadonlySet<string> | Failure {
  const found = clusters.filter((cluster) => selectsCluster(selection, cluster));
  if (found.length > 0) return new Set(found.map(({ metadata }) => metadata.name ?? ""));
  const { names = [], region = [], provider = [], zone = [] } = selection;
  const slips = [
    ...misspelt(
      names,
      clusters.map(({ metadata }) => metadata.name ?? ""),
    ),
    ...misspelt(
      region,
      clusters.flatMap((cluster) => partsOf("region", cluster)),
    ),
    ...misspelt(
      provider,
      clusters.flatMap((cluster) => partsOf("provider", cluster)),
    ),
    ...misspelt(
      zone,
      clusters.flatMap((cluster) => partsOf("zone", cluster)),
    ),
  ];
  return { words: `no cluster of the fleet is ${clustersText(selection)}${slips[0] ?? ""}`, details: [] };
}

function misspelt(words: string | readonly string[], known: readonly string[]): string[] {
  return (typeof words === "string" ? [words] : words)
    .filter((word) => !known.includes(word))
    .map((word) => hint(word, known))
    .filter((text) => text !== "");
}

function hint(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? "" : `. Did you mean ${meant}?`;
}

function partsOf(kind: (typeof LOSS_KINDS)[number], { metadata, spec }: Cluster): readonly string[] {
  switch (kind) {
    case "cluster":
      return [metadata.name ?? ""];
    case "zone":
      return zonesOf(spec);
    case "region":
      return spec.region ? [spec.region] : [];
    case "provider":
      return spec.provider ? [spec.provider] : [];
  }
}

function replicasOf({ manifest, replicas }: Copy): number {
  const spec = manifest["spec"];
  const own = isObject(spec) ? spec["replicas"] : undefined;
  return typeof own === "number" || typeof own === "bigint" ? Number(own) : (replicas ?? 0);
}

function checkAmount(
  found: number,
  {
    atLeast,
    atMost,
    exactly,
  }: { atLeast?: number | undefined; atMost?: number | undefined; exactly?: number | undefined },
  noun: string,
  { name, outcomes }: Subject,
  on: TestedClusters | undefined,
  each: readonly string[],
): readonly Failure[] {
  const isRight =
    found >= (atLeast ?? 0) && found <= (atMost ?? Number.POSITIVE_INFINITY) && (exactly ?? found) === found;
  if (isRight) return [];
  const wanted = [
    ...(exactly === undefined ? [] : [`exactly ${exactly}`]),
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ].join(" and ");
  const where = on === undefined ? "" : ` in ${clustersText(on)}`;
  const plural = noun === "copy" ? "copies" : `${noun}s`;
  const words = `${name} has ${found} ${found === 1 ? noun : plural}${where}, expected ${wanted}`;
  return [{ words, details: [...[...each].sort(), ...outcomes.flatMap(whyOf)] }];
}

function placesFailure(
  copies: readonly PlacedCopy[],
  rule: string,
  clusters: readonly Cluster[],
  more = "",
): readonly Failure[] {
  if (copies.length === 0) return [];
  const names = [...new Set(copies.map(({ copy }) => copy.cluster))].sort();
  const byName = new Map(clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
  const details = names.map((name) => {
    const { provider, region } = byName.get(name)?.spec ?? {};
    const marks = [
      ...(provider === undefined ? [] : [`provider ${provider}`]),
      ...(region === undefined ? [] : [`region ${region}`]),
    ];
    const policy = copies.find(({ copy }) => copy.cluster === name)?.outcome.policy;
    const by = policy === undefined ? [] : [`placed by ${policy.kind} ${policy.metadata.name}`];
    return `${name}${marks.length + by.length === 0 ? "" : ` (${[...marks, ...by].join(", ")})`}`;
  });
  return [{ words: `${rule}, and is on ${count(names.length, "cluster")}${more}`, details }];
}

/** `paris-1: spec.template.spec.containers[web].image is nginx:1.27 ← override shop/registry, rule 1 (…)`. */
function foundLines(found: readonly Found[], fleet: TestedFleet): string[] {
  const groups = new Map<string, { readonly text: string; readonly clusters: string[] }>();
  for (const { outcome, copy, field } of found) {
    const value = isHiddenField(copy.manifest, field.path) ? "(hidden)" : printed(field.value);
    const text = `${nameOf(outcome)}: ${field.path} is ${value}${writerOf(outcome, copy, field.path, fleet)}`;
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { text, clusters: [copy.cluster] });
    else group.clusters.push(copy.cluster);
  }
  return [...groups.values()].map(({ text, clusters }) => `${listed(clusters)}: ${text}`);
}

/** Who wrote a field, and where: an override, or else the object's own file. */
function writerOf({ template }: Outcome, copy: Copy, path: string, { policyOrigin, originOf }: TestedFleet): string {
  const by = overriddenFields(copy, policyOrigin).find(
    (field) => path === field.path || path.startsWith(`${field.path}.`) || path.startsWith(`${field.path}[`),
  );
  if (by !== undefined) {
    const { name, place } = overrideWriter(by);
    return ` ← ${name}${place === undefined ? "" : ` (${place.file}${place.line === undefined ? "" : `:${place.line}`})`}`;
  }
  const origin = originOf(template);
  return origin === undefined ? "" : ` ← ${origin}`;
}

/** Values that are no scalars may hold anything. */
function printed(value: unknown): string {
  if (value === undefined) return "absent";
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  const text = typeof value === "string" ? value : String(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

function listed(names: readonly string[]): string {
  return names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

export function nameOf({ ref: { kind, namespace, name } }: Outcome): string {
  return `${kind} ${namespace === undefined || namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** Why an object is not as it should be, where that is known. */
function whyOf({ problems, policy, copies }: Outcome): readonly string[] {
  if (problems.length > 0) return problems;
  return policy === undefined && copies.length === 0 ? ["no policy places it"] : [];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
