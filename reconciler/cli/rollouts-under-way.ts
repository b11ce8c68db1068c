// Which templates have a change that is not everywhere yet, in a few words.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { findCondition } from "../../kube/conditions.ts";
import { type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { ROLLED_OUT } from "../rollout/describe-rollout.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../works/binding.ts";

const WORDS: Readonly<Record<string, string>> = {
  RolloutProgressing: "rolling out",
  RolloutPaused: "rollout paused",
  RolloutStopped: "rollout failed",
  ReturningToLastHealthy: "change failed, going back",
  ReturnedToLastHealthy: "change failed and was taken back",
};

/** Answers for an object of the control plane; undefined where nothing is under way. */
export async function rolloutsUnderWay(
  client: KubeClient,
  objects: readonly KubeObject[],
  namespace: string | undefined,
): Promise<(object: KubeObject) => string | undefined> {
  const found = new Map<string, string>();
  if (objects.some(({ apiVersion }) => isTemplateGroup(parseApiVersion(apiVersion).group))) {
    const isNamespaced = objects.some(({ metadata }) => metadata.namespace);
    const kind = isNamespaced ? "ResourceBinding" : "ClusterResourceBinding";
    const { items } = await client.list<AnyBinding>(BINDING_API_VERSION, kind, isNamespaced ? { namespace } : {});
    for (const { spec, status } of items) {
      const condition = findCondition(status?.conditions, ROLLED_OUT);
      const words = condition?.status === "False" ? WORDS[condition.reason] : undefined;
      if (words !== undefined) found.set(keyOf(spec.resource.kind, spec.resource.namespace, spec.resource.name), words);
    }
  }
  return ({ kind, metadata }) => found.get(keyOf(kind, metadata.namespace, metadata.name));
}

/** Bindings are there for objects of these groups only. */
function isTemplateGroup(group: string): boolean {
  return !/(^|\.)(karmada|flaghoist)\.io$/.test(group);
}

function keyOf(kind: string, namespace: string | undefined, name: string | undefined): string {
  return `${kind}/${namespace ?? ""}/${name ?? ""}`;
}
