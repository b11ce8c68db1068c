// How a store was installed: what a control plane began with, and goes on with when it is started without saying so.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isAlreadyExists } from "../../kube/client/status-error.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { FAILOVER_MODES, type FailoverMode } from "../failover/failover-modes.ts";

const NAMESPACE = "karmada-system";
const RECORD = { apiVersion: "v1", kind: "ConfigMap", namespace: NAMESPACE, name: "flaghoist-installation" };
/** Every store of ours, and of Karmada, has had it from its first start on. */
const FIRST_DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  name: "propagationpolicies.policy.karmada.io",
};

/**
 * The way to fail over that the store was installed with. To be called before definitions are installed: a store without
 * any is new, and `asked`, or else `safe`, is recorded there. Older stores, which say nothing, keep Karmada's default.
 */
export async function installedFailover(client: KubeClient, asked: FailoverMode | undefined): Promise<FailoverMode> {
  const recorded = await client.find(RECORD);
  if (recorded !== undefined) return modeIn(recorded);
  if ((await client.find(FIRST_DEFINITION)) !== undefined) return "off";
  const mode = asked ?? "safe";
  const { apiVersion, kind, namespace, name } = RECORD;
  // Before the first definition: whoever is killed in between finds the store as new as it was.
  await createUnlessPresent(client, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE, labels: { "karmada.io/system": "true" } },
  });
  await createUnlessPresent(client, { apiVersion, kind, metadata: { namespace, name }, data: { failover: mode } });
  return modeIn(await client.get(RECORD));
}

function modeIn(record: KubeObject): FailoverMode {
  const text = isObject(record["data"]) ? record["data"]["failover"] : undefined;
  // Words that nobody of ours wrote move nothing.
  return FAILOVER_MODES.find((mode) => mode === text) ?? "off";
}

async function createUnlessPresent(client: KubeClient, object: KubeObject): Promise<void> {
  try {
    await client.create(object, { fieldManager: "flaghoist-install" });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
