// From the files of a revision to the objects that the control plane would store, without storing any.
import { randomUUID } from "node:crypto";
import { defaultObject, hasAdmissionRules } from "../../api/admission/admit.ts";
import type { Sync } from "../../api/gitops.ts";
import { applySchemaDefaults } from "../../api/schema-defaults.ts";
import { checkManifest, type ManifestProblem } from "../../api/validate-manifest.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { ApiStatusError, isNotFound } from "../../kube/client/status-error.ts";
import { type KubeObject, type ObjectRef, parseApiVersion, refKey, refOf } from "../../kube/object.ts";
import type { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { renderingRemotes } from "../../renderers/remote-render.ts";
import { render } from "../../renderers/render.ts";
import { systemClock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import type { RemoteBases } from "../../sources/remote-bases.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { hasGeneratedName, whyNeedsName } from "../controllers/sync/hook-names.ts";
import { prepareObject, SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "../controllers/sync/sync-decisions.ts";
import { checkCustomizationScript } from "../interpreter/customization/compile-customization.ts";
import { FieldLines } from "./diff/field-lines.ts";
import type { DesiredObject } from "./source-changes.ts";
import { type WrittenFields, writtenFields } from "./written-fields.ts";
import { writtenPlace } from "./written-place.ts";

const FIELD_MANAGER = "flaghoist";

/** What hangs on the options of a server is left to its dry run. */
const SERVER_ALLOWS = { allowNoExecuteTaintPolicy: true, checkScript: checkCustomizationScript };

/** Something in the files that would be refused. */
export interface InputProblem {
  readonly origin: string;
  readonly message: string;
  readonly severity: "error" | "warning";
}

export interface WrittenObject {
  readonly object: KubeObject;
  /** As its files have it, before it was put where it belongs. */
  readonly rendered: KubeObject;
  readonly origin: string;
  readonly written?: WrittenFields | undefined;
}

export interface RenderedFolder {
  readonly objects: readonly WrittenObject[];
  readonly problems: readonly InputProblem[];
}

export interface FolderRendering {
  /** The Sync that applies the folder, if one does. */
  readonly sync: Sync | undefined;
  /** What kustomizations may name elsewhere. Undefined: nothing is fetched. */
  readonly remotes: RemoteBases | undefined;
  /** Remembers between renderings of one plan, or of many. */
  readonly cache?: RenderCache | undefined;
  readonly signal: AbortSignal;
}

/** Renders a folder as the Sync would, into the namespaces where its objects belong, and checks what it wrote. */
export async function renderFolder(
  client: KubeClient,
  tree: SourceTree,
  path: string,
  rendering: FolderRendering,
): Promise<RenderedFolder> {
  const { objects, problems } = await renderObjects(client, tree, path, rendering);
  const checked = await checkObjects(client, tree, objects);
  return { objects: checked.objects, problems: [...problems, ...checked.problems] };
}

/** Renders a folder as the Sync would, into the namespaces where its objects belong; nothing is checked yet. */
export async function renderObjects(
  client: KubeClient,
  tree: SourceTree,
  path: string,
  { sync, remotes, cache, signal }: FolderRendering,
): Promise<RenderedFolder> {
  const renderer = sync?.spec.renderer ?? "auto";
  const result = await renderingRemotes(remotes, signal, (contents) =>
    render(tree, path, { renderer, fieldOrigins: true, remotes: contents, cache }),
  );
  const problems: InputProblem[] = result.warnings.map(({ file, message }) => ({
    origin: file ?? path,
    message,
    severity: "warning",
  }));
  const objects: WrittenObject[] = [];
  for (const rendered of result.objects) {
    const { file, line } = rendered.origin;
    const { apiVersion, kind, metadata } = rendered.object;
    const info = await client.mapper.find(apiVersion, kind);
    objects.push({
      origin: line === undefined ? file : `${file}:${line}`,
      rendered: rendered.object,
      object: place(rendered.object, sync, info?.namespaced ?? metadata.namespace !== undefined),
      written: rendered.history && writtenFields(rendered, rendered.history),
    });
  }
  return { objects, problems };
}

/** What a Sync would refuse in these objects, or warn of; those with faults of their own are left out. */
export async function checkObjects(
  client: KubeClient,
  tree: SourceTree,
  written: readonly WrittenObject[],
): Promise<RenderedFolder> {
  const problems: InputProblem[] = [];
  const objects: WrittenObject[] = [];
  const lines = new FieldLines(tree);
  const tell = (one: WrittenObject, { field, message, severity }: ManifestProblem): void => {
    const { file, line } = writtenPlace(lines, one, field);
    problems.push({ origin: line === undefined ? file : `${file}:${line}`, message, severity });
  };
  for (const one of written) {
    const { origin, object } = one;
    const found = checkManifest(one.rendered, SERVER_ALLOWS);
    if (found.some(({ severity }) => severity === "error")) {
      for (const problem of found) tell(one, problem);
      continue;
    }
    const needsName = whyNeedsName(object);
    if (needsName !== undefined) {
      problems.push({ origin, message: needsName, severity: "error" });
      continue;
    }
    // As a Sync checks it: where it belongs, and against what it would change.
    const isRuled =
      (await client.mapper.find(object.apiVersion, object.kind)) !== undefined &&
      hasAdmissionRules(parseApiVersion(object.apiVersion).group, object.kind);
    const stored = isRuled ? await client.find(refOf(object)) : undefined;
    for (const problem of checkManifest(object, { ...SERVER_ALLOWS, stored })) tell(one, problem);
    objects.push(one);
  }
  return { objects, problems };
}

function place(object: KubeObject, sync: Sync | undefined, namespaced: boolean): KubeObject {
  if (sync !== undefined) return prepareObject(object, sync, namespaced);
  const { namespace, ...metadata } = object.metadata;
  return { ...object, metadata: namespaced ? { ...metadata, namespace: namespace ?? "default" } : metadata };
}

/**
 * The objects as the server would store them: by its own dry run where it can, else with our defaults (in a namespace,
 * or of a kind, that this very revision makes). What the server refuses is added to the problems.
 */
export async function desiredObjects(
  client: KubeClient,
  objects: readonly WrittenObject[],
  signal: AbortSignal,
): Promise<{ readonly desired: readonly DesiredObject[]; readonly problems: readonly InputProblem[] }> {
  const problems: InputProblem[] = [];
  const newKinds = definedKinds(objects);
  const desired = await mapLimit(objects, 16, async (one): Promise<DesiredObject | undefined> => {
    const { object, origin, written } = one;
    const { apiVersion, kind } = object;
    if ((await client.mapper.find(apiVersion, kind)) === undefined) {
      if (!newKinds.has(`${apiVersion}/${kind}`)) {
        problems.push({ origin, message: await unknownKind(client, object), severity: "error" });
        return undefined;
      }
      return { object: withDefaults(object, undefined), before: undefined, origin, written };
    }
    const before = await client.find(refOf(object), signal);
    const wanted = withSyncLabels(object, before);
    try {
      const stored = await client.apply(wanted, { fieldManager: FIELD_MANAGER, force: true, dryRun: true, signal });
      return { object: stored, before, origin, written };
    } catch (error) {
      if (isNotFound(error)) return { object: withDefaults(wanted, before), before, origin, written };
      if (!(error instanceof ApiStatusError)) throw error;
      problems.push({ origin, message: messageOf(error), severity: "error" });
      return undefined;
    }
  });
  return { desired: desired.filter((one) => one !== undefined), problems };
}

// Applied without its labels, an object would look as if it were to leave its Sync.
function withSyncLabels(object: KubeObject, before: KubeObject | undefined): KubeObject {
  const known = before?.metadata.labels ?? {};
  const labels = { ...object.metadata.labels };
  for (const label of [SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL]) {
    const value = known[label];
    if (value !== undefined) labels[label] ??= value;
  }
  return Object.keys(labels).length === 0 ? object : { ...object, metadata: { ...object.metadata, labels } };
}

function withDefaults(object: KubeObject, before: KubeObject | undefined): KubeObject {
  const filled = defaultObject(applySchemaDefaults(object), {
    operation: before === undefined ? "CREATE" : "UPDATE",
    requestNamespace: object.metadata.namespace ?? "",
    nowMs: systemClock.now(),
    newUuid: randomUUID,
  });
  return { ...filled, metadata: { ...filled.metadata, uid: before?.metadata.uid ?? randomUUID() } };
}

/** Kinds that the revision itself defines, as `apiVersion/kind`. */
function definedKinds(written: readonly WrittenObject[]): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const { object } of written) {
    if (object.kind !== "CustomResourceDefinition") continue;
    // Checked before by the rules for definitions; what is missing just defines nothing.
    const spec = object["spec"] as
      | { group?: string; names?: { kind?: string }; versions?: readonly { name?: string }[] }
      | undefined;
    for (const { name } of spec?.versions ?? []) kinds.add(`${spec?.group}/${name}/${spec?.names?.kind}`);
  }
  return kinds;
}

async function unknownKind(client: KubeClient, object: KubeObject): Promise<string> {
  try {
    await client.mapper.get(object.apiVersion, object.kind);
    return "unknown kind";
  } catch (error) {
    return messageOf(error);
  }
}

/** The second and later objects of the same name. */
export function findDuplicates(written: readonly WrittenObject[]): readonly InputProblem[] {
  const seen = new Map<string, string>();
  const problems: InputProblem[] = [];
  for (const { object, origin } of written) {
    if (hasGeneratedName(object)) continue;
    const ref: ObjectRef = refOf(object);
    const first = seen.get(refKey(ref));
    if (first === undefined) seen.set(refKey(ref), origin);
    else problems.push({ origin, message: `${ref.kind} ${ref.name} is also in ${first}`, severity: "error" });
  }
  return problems;
}
