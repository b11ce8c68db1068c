// Where the content of revisions is kept: ControllerRevisions beside the binding, which they go with.
import { isAlreadyExists, isNotFound } from "../../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef } from "../../../kube/object.ts";
import type { AnyOverridePolicy } from "../../overrides/order.ts";
import { CLAIMED_BY_LABEL } from "../../policies/considered.ts";
import type { Revision, RevisionContent } from "../../rollout/revision.ts";
import { REVISION_ANNOTATION } from "../../rollout/rollout-state.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { bindingId, bindingIdLabel } from "../../works/targets.ts";
import type { ControllerContext } from "../context.ts";

/** Keeps policies from taking a revision for a template. */
const OWNER = "flaghoist-rollout";
/** Objects in no namespace have their revisions here. */
const SYSTEM_NAMESPACE = "karmada-system";
const SECRET_TYPE = "gitops.flaghoist.io/revision";
/** Revisions beside those in use. */
const HISTORY = 5;
const MAX_REMEMBERED = 200;
const MAX_NAME = 253;

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
    this.#remember(binding, revision.name, revision.content);
    const latest = Math.max(0, ...kept.map(numberOf));
    if (!kept.some((object) => nameOf(object) === revision.name)) {
      try {
        await this.#context.client.create(objectOf(binding, revision, latest + 1), { fieldManager: "flaghoist" });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    }
    const old = kept
      .filter((object) => nameOf(object) !== revision.name && !inUse.has(nameOf(object)))
      .sort((a, b) => numberOf(b) - numberOf(a));
    for (const object of old.slice(HISTORY)) await this.#delete(binding, object);
  }

  /** The content of a revision; undefined when nobody has it any more. */
  async load(binding: AnyBinding, name: string): Promise<RevisionContent | undefined> {
    const known = this.#known.get(keyOf(binding, name));
    if (known !== undefined) return known;
    const found = await this.#context.client.find(refOfRevision(binding, name));
    const content = found === undefined ? undefined : contentOf(found);
    if (content !== undefined) this.#remember(binding, name, content);
    return content;
  }

  /** Deletes every revision of a binding. */
  async clear(binding: AnyBinding): Promise<void> {
    for (const object of await this.#list(binding)) await this.#delete(binding, object);
  }

  async #list(binding: AnyBinding): Promise<readonly KubeObject[]> {
    const id = bindingId(binding);
    if (id === undefined) return [];
    const { apiVersion, kind, namespace = "" } = refOfRevision(binding, "");
    const labelSelector = `${bindingIdLabel(binding)}=${id},${CLAIMED_BY_LABEL}=${OWNER}`;
    return (await this.#context.client.list(apiVersion, kind, { namespace, labelSelector })).items;
  }

  async #delete(binding: AnyBinding, { metadata: { name = "", uid } }: KubeObject): Promise<void> {
    try {
      await this.#context.client.delete({ ...refOfRevision(binding, ""), name }, { uid });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #remember(binding: AnyBinding, name: string, content: RevisionContent): void {
    const key = keyOf(binding, name);
    this.#known.delete(key);
    this.#known.set(key, content);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }
}

const REVISION = { apiVersion: "apps/v1", kind: "ControllerRevision" } as const;
// Who may read revisions of workloads may not read Secrets for that.
const SECRET = { apiVersion: "v1", kind: "Secret" } as const;

function isSecret({ spec: { resource } }: AnyBinding): boolean {
  return resource.apiVersion === "v1" && resource.kind === "Secret";
}

function refOfRevision(binding: AnyBinding, revision: string): ObjectRef {
  const { namespace = SYSTEM_NAMESPACE, name = "" } = binding.metadata;
  const prefix = name.slice(0, MAX_NAME - revision.length - 1);
  return { ...(isSecret(binding) ? SECRET : REVISION), namespace, name: `${prefix}-${revision}` };
}

function objectOf(binding: AnyBinding, revision: Revision, number: number): KubeObject {
  const { apiVersion, kind, namespace = "", name } = refOfRevision(binding, revision.name);
  const { name: owner = "", uid = "" } = binding.metadata;
  const metadata = {
    name,
    namespace,
    labels: { [bindingIdLabel(binding)]: bindingId(binding) ?? "", [CLAIMED_BY_LABEL]: OWNER },
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
  const { object, overrides } = content;
  if (!isObject(object) || typeof object["kind"] !== "string" || !Array.isArray(overrides)) return undefined;
  // As it was written by `save`.
  return { object: object as KubeObject, overrides: overrides as AnyOverridePolicy[] };
}

function keyOf(binding: AnyBinding, revision: string): string {
  return `${binding.metadata.uid ?? ""}/${revision}`;
}
