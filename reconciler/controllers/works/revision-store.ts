// Where the content of revisions is kept: ControllerRevisions beside the binding, which they go with.
import { isAlreadyExists, isNotFound } from "../../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef, refOf } from "../../../kube/object.ts";
import type { AnyOverridePolicy } from "../../overrides/order.ts";
import { CLAIMED_BY_LABEL } from "../../policies/considered.ts";
import type { Needs } from "../../rollout/needs.ts";
import type { Revision, RevisionContent } from "../../rollout/revision.ts";
import { REVISION_ANNOTATION } from "../../rollout/rollout-state.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { bindingId, bindingIdLabel } from "../../works/targets.ts";
import type { ControllerContext } from "../context.ts";

/** Keeps policies from taking a revision for a template. */
const OWNER = "flaghoist-rollout";
/** As `OWNER`, for revisions of what goes along. */
const NEEDS_OWNER = "flaghoist-rollout-needs";
/** Objects in no namespace have their revisions here. */
const SYSTEM_NAMESPACE = "karmada-system";
const SECRET_TYPE = "gitops.flaghoist.io/revision";
/** Revisions beside those in use. */
const HISTORY = 5;
const MAX_REMEMBERED = 2_000;
const MAX_NAME = 253;

/** An object that goes along with another, as it is now. */
export interface Needed {
  readonly object: KubeObject;
  readonly revision: Revision;
}

export class RevisionStore {
  readonly #context: ControllerContext;
  /** By uid of the binding and name of the revision; content never changes. */
  readonly #known = new Map<string, RevisionContent>();

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  /** Keeps a revision, and of those that are neither this one nor `inUse` only the latest. */
  async save(binding: AnyBinding, revision: Revision, inUse: ReadonlySet<string>): Promise<void> {
    const kept = await this.#list(binding);
    this.#remember(keyOf(binding, revision.name), revision.content);
    const latest = Math.max(0, ...kept.map(numberOf));
    if (!kept.some((object) => nameOf(object) === revision.name)) {
      try {
        const made = objectOf(binding, revision, { ...kindOf(binding), number: latest + 1, owner: OWNER });
        await this.#context.client.create(made, { fieldManager: "flaghoist" });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
    const old = kept
      .filter((object) => nameOf(object) !== revision.name && !inUse.has(nameOf(object)))
      .sort((a, b) => numberOf(b) - numberOf(a));
    const dropped = new Set(old.slice(HISTORY));
    for (const object of dropped) await this.#delete(object);
    const left = [revision.content, ...kept.filter((object) => !dropped.has(object)).map(contentOf)];
    await this.#dropNeeds(binding, kept.map(contentOf), left);
  }

  /** Keeps what goes along with a revision that is about to be saved. */
  async saveNeeds(binding: AnyBinding, needed: readonly Needed[]): Promise<void> {
    for (const { object, revision } of needed) {
      const key = needKey(binding, revision.name);
      if (this.#known.has(key)) continue;
      const kind = kindFor(object);
      try {
        const made = objectOf(binding, revision, { ...kind, number: 1, owner: NEEDS_OWNER });
        await this.#context.client.create(made, { fieldManager: "flaghoist" });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      this.#remember(key, revision.content);
    }
  }

  /** What an object was that goes along with the one of `binding`. */
  async loadNeed(
    binding: AnyBinding,
    resource: Pick<ObjectRef, "apiVersion" | "kind">,
    name: string,
  ): Promise<RevisionContent | undefined> {
    return this.#load(needKey(binding, name), refOfRevision(binding, name, kindFor(resource)));
  }

  /** Deletes what went along with revisions that nobody has any more. */
  async #dropNeeds(
    binding: AnyBinding,
    before: readonly (RevisionContent | undefined)[],
    left: readonly (RevisionContent | undefined)[],
  ): Promise<void> {
    const namesOf = (contents: typeof before): Set<string> =>
      new Set(contents.flatMap((content) => Object.values(content?.needs ?? {})));
    const inUse = namesOf(left);
    if ([...namesOf(before)].every((name) => inUse.has(name))) return;
    for (const object of await this.#listNeeds(binding)) {
      if (inUse.has(nameOf(object))) continue;
      this.#known.delete(needKey(binding, nameOf(object)));
      await this.#delete(object);
    }
  }

  /** The content of a revision; undefined when nobody has it any more. */
  async load(binding: AnyBinding, name: string): Promise<RevisionContent | undefined> {
    return this.#load(keyOf(binding, name), refOfRevision(binding, name, kindOf(binding)));
  }

  async #load(key: string, ref: ObjectRef): Promise<RevisionContent | undefined> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await this.#context.client.find(ref);
    const content = found === undefined ? undefined : contentOf(found);
    if (content !== undefined) this.#remember(key, content);
    return content;
  }

  /** Deletes every revision of a binding. */
  async clear(binding: AnyBinding): Promise<void> {
    const own = await this.#list(binding);
    for (const object of own) await this.#delete(object);
    if (own.some((object) => contentOf(object)?.needs !== undefined))
      for (const object of await this.#listNeeds(binding)) await this.#delete(object);
  }

  async #list(binding: AnyBinding): Promise<readonly KubeObject[]> {
    return this.#listOf(binding, kindOf(binding), OWNER);
  }

  async #listNeeds(binding: AnyBinding): Promise<readonly KubeObject[]> {
    return [
      ...(await this.#listOf(binding, REVISION, NEEDS_OWNER)),
      ...(await this.#listOf(binding, SECRET, NEEDS_OWNER)),
    ];
  }

  async #listOf(binding: AnyBinding, { apiVersion, kind }: Kind, owner: string): Promise<readonly KubeObject[]> {
    const id = bindingId(binding);
    if (id === undefined) return [];
    const { namespace = SYSTEM_NAMESPACE } = binding.metadata;
    const labelSelector = `${bindingIdLabel(binding)}=${id},${CLAIMED_BY_LABEL}=${owner}`;
    const { items } = await this.#context.client.list(apiVersion, kind, { namespace, labelSelector });
    // Items of lists need not say what they are.
    return items.map((item) => ({ ...item, apiVersion, kind }));
  }

  async #delete(object: KubeObject): Promise<void> {
    try {
      await this.#context.client.delete(refOf(object), { uid: object.metadata.uid });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #remember(key: string, content: RevisionContent): void {
    this.#known.delete(key);
    this.#known.set(key, content);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }
}

const REVISION = { apiVersion: "apps/v1", kind: "ControllerRevision" } as const;
// Who may read revisions of workloads may not read Secrets for that.
const SECRET = { apiVersion: "v1", kind: "Secret" } as const;

type Kind = Pick<ObjectRef, "apiVersion" | "kind">;

/** In what an object's content is kept. */
function kindFor({ apiVersion, kind }: Kind): Kind {
  return apiVersion === "v1" && kind === "Secret" ? SECRET : REVISION;
}

function kindOf({ spec: { resource } }: AnyBinding): Kind {
  return kindFor(resource);
}

function refOfRevision(binding: AnyBinding, revision: string, { apiVersion, kind }: Kind): ObjectRef {
  const { namespace = SYSTEM_NAMESPACE, name = "" } = binding.metadata;
  const prefix = name.slice(0, MAX_NAME - revision.length - 1);
  return { apiVersion, kind, namespace, name: `${prefix}-${revision}` };
}

function objectOf(
  binding: AnyBinding,
  revision: Revision,
  { number, owner: claimant, ...as }: Kind & { readonly number: number; readonly owner: string },
): KubeObject {
  const { apiVersion, kind, namespace = "", name } = refOfRevision(binding, revision.name, as);
  const { name: owner = "", uid = "" } = binding.metadata;
  const metadata = {
    name,
    namespace,
    labels: { [bindingIdLabel(binding)]: bindingId(binding) ?? "", [CLAIMED_BY_LABEL]: claimant },
    annotations: { [REVISION_ANNOTATION]: revision.name, [NUMBER_ANNOTATION]: String(number) },
    ownerReferences: [
      {
        apiVersion: binding.apiVersion,
        kind: binding.kind,
        name: owner,
        uid,
        controller: true,
        blockOwnerDeletion: false,
      },
    ],
  };
  if (kind === "Secret") {
    const content = Buffer.from(JSON.stringify(revision.content)).toString("base64");
    return { apiVersion, kind, metadata, type: SECRET_TYPE, immutable: true, data: { content } };
  }
  return { apiVersion, kind, metadata, data: revision.content, revision: number };
}

const NUMBER_ANNOTATION = "gitops.flaghoist.io/revision-number";

function numberOf(object: KubeObject): number {
  return Number.parseInt(object.metadata.annotations?.[NUMBER_ANNOTATION] ?? "0", 10) || 0;
}

function nameOf(object: KubeObject): string {
  return object.metadata.annotations?.[REVISION_ANNOTATION] ?? "";
}

function contentOf(found: KubeObject): RevisionContent | undefined {
  const { data } = found;
  let content: unknown = data;
  if (found.kind === "Secret") {
    const text = isObject(data) ? data["content"] : undefined;
    if (typeof text !== "string") return undefined;
    try {
      content = JSON.parse(Buffer.from(text, "base64").toString());
    } catch {
      return undefined;
    }
  }
  if (!isObject(content)) return undefined;
  const { object, overrides, needs } = content;
  if (!isObject(object) || typeof object["kind"] !== "string" || !Array.isArray(overrides)) return undefined;
  // As it was written by `save`.
  const revision = { object: object as KubeObject, overrides: overrides as AnyOverridePolicy[] };
  return isNeeds(needs) ? { ...revision, needs } : revision;
}

function isNeeds(value: unknown): value is Needs {
  return isObject(value) && Object.values(value).every((name) => typeof name === "string");
}

function needKey(binding: AnyBinding, revision: string): string {
  return `${binding.metadata.uid ?? ""}/needs/${revision}`;
}

function keyOf(binding: AnyBinding, revision: string): string {
  return `${binding.metadata.uid ?? ""}/${revision}`;
}
