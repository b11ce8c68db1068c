// What an object asks of the Sync that applies it: its wave, whether it is a hook, and how it may be deleted. Ours, Argo
// CD's, Helm's and Flux's annotations are read; where several speak, ours come first, then Argo CD's, then the others'.
import { REPLACE_ANNOTATION } from "../../../api/gitops.ts";
import type { KubeObject } from "../../../kube/object.ts";

/** When an object's turn comes. As Argo CD: SyncFail only after a failure, Pre- and PostDelete with the Sync itself. */
export type Phase = "PreSync" | "Sync" | "PostSync" | "SyncFail" | "PreDelete" | "PostDelete";

export type HookDeletePolicy = "BeforeHookCreation" | "HookSucceeded" | "HookFailed";

/** `confirm`: only after a person's word. */
export type Deletion = "yes" | "no" | "confirm";

export interface SyncWishes {
  /** Lower ones come first; 0 when nothing is said. */
  readonly wave: number;
  /** Whether `wave` was written on the object. */
  readonly hasWave: boolean;
  /** The phases a hook runs in, which may be none; undefined for what is no hook. */
  readonly hook: readonly Phase[] | undefined;
  /** Not applied at all, and left alone where it is. */
  readonly isSkipped: boolean;
  readonly hookDeletePolicies: readonly HookDeletePolicy[];
  /** Once it is no longer in the source. */
  readonly prune: Deletion;
  /** When the Sync is deleted. */
  readonly deletion: Deletion;
  /** What keeps it on either occasion, for people: `argocd.argoproj.io/sync-options: Prune=false`. */
  readonly keptBy: Readonly<Record<"prune" | "deletion", string | undefined>>;
  /** Pruned after everything else. */
  readonly isPrunedLast: boolean;
  /** Deleted and made anew when the server refuses a change as immutable. */
  readonly isForced: boolean;
  /** Applied only while it is not there. */
  readonly isOnlyCreated: boolean;
  /** Words that mean nothing and were left out of account, for people. */
  readonly problems: readonly string[];
}

const WAVES = ["gitops.flaghoist.io/sync-wave", "argocd.argoproj.io/sync-wave", "helm.sh/hook-weight"] as const;
const HOOKS = ["gitops.flaghoist.io/hook", "argocd.argoproj.io/hook"] as const;
const HELM_HOOK = "helm.sh/hook";
const DELETE_POLICIES = ["gitops.flaghoist.io/hook-delete-policy", "argocd.argoproj.io/hook-delete-policy"] as const;
const HELM_DELETE_POLICY = "helm.sh/hook-delete-policy";
const OPTIONS = ["gitops.flaghoist.io/sync-options", "argocd.argoproj.io/sync-options"] as const;
const FLUX_PRUNE = "kustomize.toolkit.fluxcd.io/prune";
const FLUX_FORCE = "kustomize.toolkit.fluxcd.io/force";
const FLUX_RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";
const FLUX_SSA = "kustomize.toolkit.fluxcd.io/ssa";
const HELM_KEEP = "helm.sh/resource-policy";

const PHASES: readonly Phase[] = ["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete"];
const POLICIES: readonly HookDeletePolicy[] = ["BeforeHookCreation", "HookSucceeded", "HookFailed"];

/** As Argo CD maps them: an upgrade and an installation are one; tests and rollbacks never run. */
const HELM_PHASES: Readonly<Record<string, Phase | undefined>> = {
  "pre-install": "PreSync",
  "pre-upgrade": "PreSync",
  "post-install": "PostSync",
  "post-upgrade": "PostSync",
  "pre-delete": "PreDelete",
  "post-delete": "PostDelete",
  "pre-rollback": undefined,
  "post-rollback": undefined,
  test: undefined,
  "test-success": undefined,
  "test-failure": undefined,
};
/** As Argo CD: an ordinary object, because definitions come first anyway. */
const HELM_DEFINITION = "crd-install";

const HELM_POLICIES: Readonly<Record<string, HookDeletePolicy>> = {
  "before-hook-creation": "BeforeHookCreation",
  "hook-succeeded": "HookSucceeded",
  "hook-failed": "HookFailed",
};

/** Waves beyond these are no numbers that anybody meant. */
const MAX_WAVE = 1_000_000;

/** Reads an object's annotations. Words that it does not know are named in `problems` and treated as absent. */
export function readSyncWishes(object: KubeObject): SyncWishes {
  const annotations = object.metadata.annotations ?? {};
  const problems: string[] = [];
  const { phases, skippedBy: skippedByHook } = readHook(annotations, problems);
  const wave = readWave(annotations, phases !== undefined, problems);
  const options = readOptions(annotations, problems);
  const ssa = annotations[FLUX_SSA]?.toLowerCase();
  const skippedBy =
    skippedByHook ??
    (ssa === "ignore" ? written(annotations, FLUX_SSA) : undefined) ??
    (annotations[FLUX_RECONCILE]?.toLowerCase() === "disabled" ? written(annotations, FLUX_RECONCILE) : undefined);
  const keeper =
    annotations[FLUX_PRUNE]?.toLowerCase() === "disabled"
      ? written(annotations, FLUX_PRUNE)
      : annotations[HELM_KEEP] === "keep"
        ? written(annotations, HELM_KEEP)
        : undefined;
  const prune = deletionOption(options, "Prune", keeper, problems);
  const deletion = deletionOption(options, "Delete", keeper, problems);
  return {
    wave: wave ?? 0,
    hasWave: wave !== undefined,
    hook: phases,
    isSkipped: skippedBy !== undefined,
    hookDeletePolicies: readDeletePolicies(annotations, problems),
    prune: prune.wish,
    deletion: deletion.wish,
    keptBy: { prune: skippedBy ?? prune.keptBy, deletion: skippedBy ?? deletion.keptBy },
    isPrunedLast: options.get("PruneLast")?.value === "true",
    // Replace alone would be an update, which server-side apply is as well: only what cannot be changed is made anew.
    isForced:
      annotations[REPLACE_ANNOTATION] === "true" ||
      options.get("Force")?.value === "true" ||
      annotations[FLUX_FORCE]?.toLowerCase() === "enabled",
    isOnlyCreated: ssa === "ifnotpresent",
    problems,
  };
}

type Annotations = Readonly<Record<string, string>>;

function written(annotations: Annotations, key: string): string {
  return `${key}: ${annotations[key]}`;
}

function first(annotations: Annotations, keys: readonly string[]): { key: string; value: string } | undefined {
  for (const key of keys) {
    const value = annotations[key];
    if (value !== undefined) return { key, value };
  }
  return undefined;
}

function wordsOf(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function readWave(annotations: Annotations, isHook: boolean, problems: string[]): number | undefined {
  // A weight of Helm means something on its hooks only.
  const found = first(annotations, isHook ? WAVES : WAVES.slice(0, 2));
  if (found === undefined) return undefined;
  const text = found.value.trim();
  if (/^[+-]?\d+$/.test(text) && Math.abs(Number(text)) <= MAX_WAVE) return Number(text);
  problems.push(`${found.key}: ${JSON.stringify(found.value)} is not a whole number`);
  return undefined;
}

function readHook(
  annotations: Annotations,
  problems: string[],
): { readonly phases: readonly Phase[] | undefined; readonly skippedBy: string | undefined } {
  const found = first(annotations, HOOKS);
  if (found !== undefined) {
    const words = wordsOf(found.value);
    // As Argo CD: one Skip among others is enough.
    if (words.includes("Skip")) return { phases: undefined, skippedBy: `${found.key}: ${found.value}` };
    const phases = PHASES.filter((phase) => words.includes(phase));
    for (const word of words.filter((each) => !PHASES.some((phase) => phase === each)))
      problems.push(`${found.key}: there is no hook ${JSON.stringify(word)} (${PHASES.join(", ")}, Skip)`);
    if (phases.length > 0) return { phases, skippedBy: undefined };
  }
  const helm = annotations[HELM_HOOK];
  if (helm === undefined) return { phases: undefined, skippedBy: undefined };
  const words = wordsOf(helm);
  const known = words.filter((word) => Object.hasOwn(HELM_PHASES, word));
  for (const word of words.filter((each) => each !== HELM_DEFINITION && !Object.hasOwn(HELM_PHASES, each)))
    problems.push(`${HELM_HOOK}: there is no hook ${JSON.stringify(word)}`);
  if (known.length === 0) return { phases: undefined, skippedBy: undefined };
  const phases = new Set(known.map((word) => HELM_PHASES[word]).filter((phase) => phase !== undefined));
  return { phases: PHASES.filter((phase) => phases.has(phase)), skippedBy: undefined };
}

/** As Argo CD: what was left of the last time goes before the hook is made again, unless something else is said. */
function readDeletePolicies(annotations: Annotations, problems: string[]): readonly HookDeletePolicy[] {
  const policies = new Set<HookDeletePolicy>();
  const found = first(annotations, DELETE_POLICIES);
  for (const word of wordsOf(found?.value ?? "")) {
    const policy = POLICIES.find((each) => each === word);
    if (policy === undefined) problems.push(`${found?.key}: there is no policy ${JSON.stringify(word)}`);
    else policies.add(policy);
  }
  for (const word of wordsOf(annotations[HELM_DELETE_POLICY] ?? "")) {
    const policy = Object.hasOwn(HELM_POLICIES, word) ? HELM_POLICIES[word] : undefined;
    if (policy === undefined) problems.push(`${HELM_DELETE_POLICY}: there is no policy ${JSON.stringify(word)}`);
    else policies.add(policy);
  }
  return policies.size === 0 ? ["BeforeHookCreation"] : [...policies];
}

interface Option {
  readonly value: string;
  /** The annotation that it is from. */
  readonly key: string;
}

function readOptions(annotations: Annotations, problems: string[]): ReadonlyMap<string, Option> {
  const options = new Map<string, Option>();
  // Ours are read last and win, option by option.
  for (const key of [...OPTIONS].reverse()) {
    for (const word of wordsOf(annotations[key] ?? "")) {
      const [name = "", value] = word.split("=").map((part) => part.trim());
      if (value === undefined || name === "")
        problems.push(`${key}: ${JSON.stringify(word)} is not an option NAME=VALUE`);
      else options.set(name, { value, key });
    }
  }
  return options;
}

/** What an option says about a deletion; where it says nothing, `keeper` is what keeps the object. */
function deletionOption(
  options: ReadonlyMap<string, Option>,
  name: "Prune" | "Delete",
  keeper: string | undefined,
  problems: string[],
): { readonly wish: Deletion; readonly keptBy: string | undefined } {
  const option = options.get(name);
  switch (option?.value) {
    case "true":
      return { wish: "yes", keptBy: undefined };
    case "false":
      return { wish: "no", keptBy: `${option.key}: ${name}=false` };
    case "confirm":
      return { wish: "confirm", keptBy: undefined };
    case undefined:
      break;
    default:
      problems.push(`sync-options: ${name}=${option?.value} is none of true, false, confirm`);
  }
  return { wish: keeper === undefined ? "yes" : "no", keptBy: keeper };
}
