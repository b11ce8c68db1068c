// What a folder renders to on both sides of a change, and the control plane does not have (yet).
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { type KubeObject, parseApiVersion, refKey, refOf } from "../../kube/object.ts";
import { desiredObjects, type WrittenObject } from "./desired-objects.ts";
import { selectsObject } from "./fleet-tests/patterns.ts";
import type { FleetTestFile } from "./fleet-tests/test-files.ts";
import type { FolderChange } from "./folder-change.ts";
import type { RepositoryChange } from "./repository-change.ts";
import type { DesiredObject } from "./source-changes.ts";
import type { World } from "./world.ts";

export interface UnappliedOptions {
  readonly signal: AbortSignal;
  /** What folders have that the change does not concern: asked for where a test sees no object of its own. */
  readonly renderUntouched: RepositoryChange["renderUntouched"];
}

/**
 * Of two revisions only what differs is asked for, and the rest is taken as the control plane has it. Where the base was
 * never applied, that is not there: then the policies of the rendering, and the objects that fleet tests look at, are of
 * both sides as they would be stored. `now` holds every object that tests look at.
 */
export async function unappliedObjects(
  client: KubeClient,
  change: FolderChange,
  now: World,
  tests: readonly FleetTestFile[],
  { signal, renderUntouched }: UnappliedOptions,
): Promise<readonly DesiredObject[]> {
  if (change.base === undefined) return [];
  const ordinary = new Set(change.hooks.flatMap(({ plan }) => plan.objects));
  const there = new Set(
    [
      ...now.templates,
      ...now.policies,
      ...now.overridePolicies,
      ...now.clusterOverridePolicies,
      ...change.desired.map(({ object }) => object),
    ].map((object) => refKey(refOf(object))),
  );
  const tested = tests.flatMap(({ parsed }) => (parsed.tests ?? []).map(({ test }) => test.objects));
  const isMissing = (wanted: typeof tested, { object }: WrittenObject): boolean =>
    (isPolicy(object) || wanted.some((objects) => selectsObject(objects, object))) && !there.has(refKey(refOf(object)));
  const missing = change.rendered.filter((one) => ordinary.has(one.object) && isMissing(tested, one));
  const known = [...now.templates, ...change.rendered.map(({ object }) => object)];
  const unseen = tested.filter((objects) => !known.some((object) => selectsObject(objects, object)));
  if (unseen.length > 0 && renderUntouched !== undefined)
    for await (const objects of renderUntouched()) missing.push(...objects.filter((one) => isMissing(unseen, one)));
  // What the server would refuse is no part of the change, and nothing is said of it.
  return missing.length === 0 ? [] : (await desiredObjects(client, missing, signal)).desired;
}

function isPolicy({ apiVersion, kind }: KubeObject): boolean {
  return parseApiVersion(apiVersion).group === "policy.karmada.io" && kind.endsWith("Policy");
}
