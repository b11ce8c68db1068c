// Tells an API server that is not ours to pass requests for Clusters on to this process, and takes that back.
import { CLUSTER_GROUP } from "../../api/cluster.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef } from "../../kube/object.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { PUBLIC_VERSION } from "./cluster-versions.ts";

const MANAGED_BY = "app.kubernetes.io/managed-by";
const OWNER = "flaghoist";
const AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged";
const ATTEMPTS = 5;
const AVAILABLE_WITHIN_MS = 15_000;
const POLL_MS = 100;
const NAMESPACE = "karmada-system";
const SERVICE = "flaghoist-extension";
const NAME = `${PUBLIC_VERSION}.${CLUSTER_GROUP}`;
const API_SERVICE: ObjectRef = { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", name: NAME };
const SERVICE_REF: ObjectRef = { apiVersion: "v1", kind: "Service", namespace: NAMESPACE, name: SERVICE };
/** Before the version that the store serves itself, which is for this process. */
const VERSION_PRIORITY = 200;
const GROUP_PRIORITY = 2000;

/** The name for which the API server checks this process's certificate. */
export const EXTENSION_SERVER_NAME = `${SERVICE}.${NAMESPACE}.svc`;

export interface ExtensionPlace {
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
}

/**
 * Registers the group-version; Clusters are read and written by way of this process from then on. When the API server
 * does not reach this process within some seconds, the registration is taken back, so that Clusters stay served.
 */
export async function registerClusters(
  client: KubeClient,
  place: ExtensionPlace,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  const present = await client.find(API_SERVICE);
  if (present !== undefined && !isOurs(present) && hasService(present)) {
    logger.info("left Clusters to the API server that serves them", { object: `APIService ${NAME}` });
    return;
  }
  const labels = { [MANAGED_BY]: OWNER };
  const options = { fieldManager: "flaghoist-install", force: true };
  await client.apply(
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: SERVICE, namespace: NAMESPACE, labels },
      spec: { type: "ExternalName", externalName: place.host },
    },
    options,
  );
  // Without the label by which the API server would put its own back.
  const metadata = { name: NAME, labels: { ...labels, [AUTOMANAGED]: null } };
  const spec = {
    group: CLUSTER_GROUP,
    version: PUBLIC_VERSION,
    groupPriorityMinimum: GROUP_PRIORITY,
    versionPriority: VERSION_PRIORITY,
    caBundle: Buffer.from(place.caPem).toString("base64"),
    service: { namespace: NAMESPACE, name: SERVICE, port: place.port },
  };
  for (let attempt = 1; ; attempt++) {
    try {
      if ((await client.find(API_SERVICE)) === undefined) {
        const { apiVersion, kind } = API_SERVICE;
        await client.create({ apiVersion, kind, metadata: { name: NAME, labels }, spec }, options);
      } else await client.patch(API_SERVICE, { metadata, spec }, "merge", options);
      break;
    } catch (error) {
      // The API server makes and removes one of this name as definitions come and go.
      if (attempt === ATTEMPTS || !(isAlreadyExists(error) || isConflict(error) || isNotFound(error))) throw error;
    }
  }
  const why = await awaitAvailable(client, clock);
  if (why === undefined) return;
  logger.warn("left out clusters/proxy: the API server does not reach this process", {
    url: `https://${place.host}:${place.port}`,
    error: why,
    fix: "give an address that it reaches by --advertise",
  });
  await unregisterClusters(client, logger);
}

/** Undefined once the API server has reached this process; why it has not, when it takes too long. */
async function awaitAvailable(client: KubeClient, clock: Clock): Promise<string | undefined> {
  const deadline = clock.now() + AVAILABLE_WITHIN_MS;
  for (;;) {
    const service = await client.find(API_SERVICE);
    const status = isObject(service?.["status"]) ? service["status"] : {};
    const conditions = (Array.isArray(status["conditions"]) ? status["conditions"] : []).filter(isObject);
    const available = conditions.find(({ type, reason }) => type === "Available" && reason !== "Local");
    if (available?.["status"] === "True") return undefined;
    if (clock.now() >= deadline) return String(available?.["message"] ?? "it has not tried");
    await sleep(clock, POLL_MS);
  }
}

/** Takes the registration back: the API server serves Clusters itself again. Failures are logged, not thrown. */
export async function unregisterClusters(client: KubeClient, logger: Logger): Promise<void> {
  for (const ref of [API_SERVICE, SERVICE_REF]) {
    try {
      const present = await client.find(ref);
      if (present === undefined || !isOurs(present)) continue;
      await client.delete(ref, { uid: present.metadata.uid });
    } catch (error) {
      if (isConflict(error)) continue;
      const fix = `until this control plane runs again, Clusters are not served: kubectl delete apiservice ${NAME}`;
      logger.warn("failed to take the registration of Clusters back", { error: messageOf(error), fix });
    }
  }
}

function isOurs(object: KubeObject): boolean {
  return object.metadata.labels?.[MANAGED_BY] === OWNER;
}

function hasService(object: KubeObject): boolean {
  const spec = object["spec"] as { service?: unknown } | undefined;
  return spec?.service !== undefined && spec.service !== null;
}
