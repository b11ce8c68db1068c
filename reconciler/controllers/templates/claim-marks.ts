// Writes the marks by which objects belong to policies, and takes them off again.
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { type Claim, changeMetadata, type MetadataChange, releaseMarks } from "../../policies/claim.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { CLUSTER_POLICY_ID_LABEL, POLICY_ID_LABEL } from "../../works/metadata-keys.ts";
import { bindingName } from "../../works/naming.ts";
import type { ControllerContext } from "../context.ts";

const ATTEMPTS = 5;

/** Adds and removes labels and annotations. Conflicts with a writer in between are the caller's to repeat. */
export async function writeMarks(
  context: ControllerContext,
  object: KubeObject,
  change: MetadataChange,
): Promise<KubeObject> {
  if (equalJson(changeMetadata(object.metadata, change), object.metadata)) return object;
  const nulled = (map: Readonly<Record<string, string | undefined>>): Record<string, string | null> =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value ?? null]));
  const metadata = {
    resourceVersion: object.metadata.resourceVersion,
    labels: nulled(change.labels),
    annotations: nulled(change.annotations),
  };
  const written = await context.client.patch(refOf(object), { metadata }, "merge", {
    fieldManager: "flaghoist-policy",
  });
  context.informers.known(object.apiVersion, object.kind)?.adopt(written);
  return written;
}

/**
 * Takes a policy's marks off the binding, then off the template: in this order, so that a crash between is found again.
 * Whoever has another policy's id by now is left alone.
 */
export async function releaseTemplate(context: ControllerContext, template: KubeObject, claim: Claim): Promise<void> {
  const { namespace, name = "" } = template.metadata;
  const kind = namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding";
  const binding = context.informers
    .of<AnyBinding>(BINDING_API_VERSION, kind)
    .get(namespace, bindingName(template.kind, name));
  if (binding !== undefined) await takeOff(context, binding, claim);
  await takeOff(context, template, claim);
}

async function takeOff(context: ControllerContext, object: KubeObject, claim: Claim): Promise<void> {
  const label = claim.kind === "PropagationPolicy" ? POLICY_ID_LABEL : CLUSTER_POLICY_ID_LABEL;
  let present: KubeObject | undefined = object;
  for (let attempt = 1; present?.metadata.labels?.[label] === claim.id; attempt++) {
    try {
      await writeMarks(context, present, releaseMarks(claim.kind));
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
      present = await context.client.find(refOf(object));
    }
  }
}
