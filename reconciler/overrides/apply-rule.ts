// One rule of an override policy at work on one cluster's copy.

import type { Cluster } from "../../api/cluster.ts";
import type { Overriders } from "../../api/policy.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { overrideWords } from "./command-args.ts";
import type { Draft } from "./draft.ts";
import { overrideFailed, overrideImpossible } from "./errors.ts";
import { overrideField } from "./field.ts";
import { overrideImage } from "./image.ts";
import { overrideLabels } from "./labels-annotations.ts";
import type { OverrideChange, OverriderKind, PolicyRef } from "./override-result.ts";
import { overridePlaintext } from "./plaintext.ts";
import type { VariableResolver } from "./variables.ts";

/** The order in which the overriders of one rule work. */
const OVERRIDER_ORDER: readonly OverriderKind[] = [
  "imageOverrider",
  "commandOverrider",
  "argsOverrider",
  "labelsOverrider",
  "annotationsOverrider",
  "fieldOverrider",
  "plaintext",
];

export interface RuleApplication {
  readonly policy: PolicyRef;
  readonly rule: number;
  readonly overriders: Overriders;
  /** Where the policy has the overriders: `spec.overrideRules[0].overriders`. */
  readonly field: string;
  readonly cluster: Cluster;
  /** Set where the policy asks for variables. */
  readonly variables?: VariableResolver | undefined;
}

export interface RuleOptions {
  readonly compatibility?: "karmada" | "flaghoist" | undefined;
}

/** Works on the draft and says what changed. Throws `override-failed` when an overrider cannot do its work. */
export function applyRule(draft: Draft, application: RuleApplication, options: RuleOptions): OverrideChange[] {
  const { policy, rule, overriders, field } = application;
  const changes: OverrideChange[] = [];
  const before = draft.object;
  for (const overrider of OVERRIDER_ORDER) {
    const count = overriders[overrider]?.length ?? 0;
    for (let index = 0; index < count; index++) {
      try {
        applyOne(draft, application, overrider, index, options);
        // The list of plaintext overriders is one patch, so that only its end counts.
        if (overrider !== "plaintext" || index === count - 1) checkIdentity(before, draft.object, overrider, options);
      } catch (error) {
        throw failure(error, application, overrider, index);
      }
      for (const write of draft.takeWrites()) changes.push({ ...write, policy, rule, overrider, index, field });
    }
  }
  // The last step looks at the object even when it has nothing to do.
  if (changes.length > 0 && !hasKind(draft.object)) {
    const { overrider, index } = changes.at(-1) as OverrideChange;
    throw failure(kindMissing(), application, overrider, index);
  }
  return changes;
}

function kindMissing(): AppError {
  return overrideImpossible("/kind", "the result has no kind and apiVersion that an object could have");
}

function failure(error: unknown, application: RuleApplication, overrider: OverriderKind, index: number): AppError {
  const told = error instanceof AppError ? error.details["path"] : undefined;
  const path = told === "" ? placeOf(application.overriders, overrider, index) : told;
  const failed = {
    policy: application.policy,
    rule: application.rule,
    overrider: `${overrider}[${index}]`,
    field: `${application.field}.${overrider}[${index}]`,
    path: typeof path === "string" ? path : undefined,
    cluster: application.cluster.metadata.name ?? "",
  };
  return overrideFailed(failed, messageOf(error), error);
}

/** Where an overrider means to write, for those that say so. */
function placeOf(overriders: Overriders, overrider: OverriderKind, index: number): string | undefined {
  switch (overrider) {
    case "imageOverrider":
      return overriders.imageOverrider?.[index]?.predicate?.path;
    case "fieldOverrider":
      return overriders.fieldOverrider?.[index]?.fieldPath;
    case "plaintext":
      return overriders.plaintext?.[index]?.path;
    case "labelsOverrider":
      return "/metadata/labels";
    case "annotationsOverrider":
      return "/metadata/annotations";
    default:
      return undefined;
  }
}

/**
 * What an object is may not get lost: Karmada cannot go on with an object without a kind. Beyond Karmada, it may not
 * become another object either: that would be created beside the present one, which nobody would remove.
 */
function checkIdentity(
  before: KubeObject,
  after: KubeObject,
  overrider: OverriderKind,
  { compatibility }: RuleOptions,
): void {
  // A text inside the object is written without looking at the object; what follows sees it.
  if (overrider !== "fieldOverrider" && !hasKind(after)) throw kindMissing();
  if (compatibility !== "flaghoist") return;
  for (const [path, old, value] of identityOf(before, after)) {
    if (old !== value) {
      const words = `would make another object of it (${path} ${String(old)} would become ${String(value)})`;
      throw overrideImpossible(path, `${words}; give the other object a manifest of its own`);
    }
  }
}

function identityOf(before: KubeObject, after: KubeObject): readonly (readonly [string, unknown, unknown])[] {
  const [a, b] = [before, after].map(({ metadata }: { readonly metadata: unknown }) =>
    isObject(metadata) ? metadata : {},
  );
  return [
    ["/apiVersion", before.apiVersion, after.apiVersion],
    ["/kind", before.kind, after.kind],
    ["/metadata/name", a?.["name"], b?.["name"]],
    ["/metadata/namespace", a?.["namespace"], b?.["namespace"]],
  ];
}

function hasKind({ kind, apiVersion }: { readonly kind?: unknown; readonly apiVersion?: unknown }): boolean {
  const isVersion = typeof apiVersion !== "string" || apiVersion.split("/").length <= 2;
  return typeof kind === "string" && kind !== "" && isVersion;
}

function applyOne(
  draft: Draft,
  { overriders, variables }: RuleApplication,
  overrider: OverriderKind,
  index: number,
  { compatibility }: RuleOptions,
): void {
  const use = <T extends object>(list: readonly T[] | undefined, work: (item: T) => void): void => {
    const item = list?.[index];
    if (item !== undefined) work(variables?.resolve(item) ?? item);
  };
  switch (overrider) {
    case "imageOverrider":
      use(overriders.imageOverrider, (item) => overrideImage(draft, item));
      break;
    case "commandOverrider":
      use(overriders.commandOverrider, (item) => overrideWords(draft, "command", item));
      break;
    case "argsOverrider":
      use(overriders.argsOverrider, (item) => overrideWords(draft, "args", item));
      break;
    case "labelsOverrider":
      use(overriders.labelsOverrider, (item) => overrideLabels(draft, "labels", item));
      break;
    case "annotationsOverrider":
      use(overriders.annotationsOverrider, (item) => overrideLabels(draft, "annotations", item));
      break;
    case "fieldOverrider":
      use(overriders.fieldOverrider, (item) =>
        overrideField(draft, item, { keepLayout: compatibility === "flaghoist" }),
      );
      break;
    case "plaintext":
      use(overriders.plaintext, (item) => overridePlaintext(draft, item));
  }
}
