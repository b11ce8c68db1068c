// Tells an API server that is not ours of our admission webhooks, and takes them back.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isConflict } from "../../kube/client/status-error.ts";
import type { KubeObject } from "../../kube/object.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { SERVED_WEBHOOKS, type ServedWebhook } from "./admission-webhooks.table.ts";

const API_VERSION = "admissionregistration.k8s.io/v1";
const MANAGED_BY = "app.kubernetes.io/managed-by";
const OWNER = "flaghoist";
/** Longer than Karmada's three seconds, because a refused write costs more than a late one. */
const TIMEOUT_S = 10;

/** As Karmada names them. */
const CONFIGURATIONS = [
  { kind: "MutatingWebhookConfiguration", name: "mutating-config", half: "mutate" },
  { kind: "ValidatingWebhookConfiguration", name: "validating-config", half: "validate" },
] as const;

type Place = { readonly url: string; readonly caPem: string };

/** The two configurations for webhooks served at `url`. */
export function webhookConfigurations({ url, caPem }: Place): KubeObject[] {
  const caBundle = Buffer.from(caPem).toString("base64");
  return CONFIGURATIONS.map(({ kind, name, half }) => ({
    apiVersion: API_VERSION,
    kind,
    metadata: { name, labels: { [MANAGED_BY]: OWNER } },
    webhooks: SERVED_WEBHOOKS.filter((webhook) => webhook.half === half).map((webhook) => ({
      name: webhook.name,
      clientConfig: { url: `${url}${webhook.path}`, caBundle },
      rules: [ruleOf(webhook)],
      ...(webhook.label === undefined
        ? {}
        : { objectSelector: { matchExpressions: [{ key: webhook.label, operator: "Exists" }] } }),
      failurePolicy: "Fail",
      sideEffects: webhook.sideEffects ?? "None",
      admissionReviewVersions: ["v1"],
      timeoutSeconds: TIMEOUT_S,
    })),
  }));
}

function ruleOf({ operations, group, resource, scope }: ServedWebhook): object {
  return { operations, apiGroups: [group], apiVersions: ["*"], resources: [resource], scope };
}

/**
 * Registers the webhooks. Configurations of these names that somebody else made, such as Karmada's own installation, are
 * left alone: they have the same rules.
 */
export async function registerWebhooks(client: KubeClient, place: Place, logger: Logger): Promise<void> {
  for (const configuration of webhookConfigurations(place)) {
    const { name } = configuration.metadata;
    const present = await client.find({ apiVersion: API_VERSION, kind: configuration.kind, name: name ?? "" });
    if (present !== undefined && !isOurs(present)) {
      logger.info("left admission to webhooks that are there", { object: `${configuration.kind} ${name ?? ""}` });
      continue;
    }
    await client.apply(configuration, { fieldManager: "flaghoist-install", force: true });
  }
}

/** Takes the webhooks back, so that writes go on while nobody answers reviews. Failures are logged, not thrown. */
export async function unregisterWebhooks(client: KubeClient, logger: Logger): Promise<void> {
  for (const { kind, name } of CONFIGURATIONS) {
    const ref = { apiVersion: API_VERSION, kind, name };
    try {
      const present = await client.find(ref);
      if (present === undefined || !isOurs(present)) continue;
      await client.delete(ref, { uid: present.metadata.uid });
    } catch (error) {
      // Somebody else replaced it in this moment.
      if (isConflict(error)) continue;
      const fix = `until this control plane runs again, writes of Karmada's kinds are refused: kubectl delete ${kind.toLowerCase()} ${name}`;
      logger.warn("failed to take webhooks back", { object: `${kind} ${name}`, error: messageOf(error), fix });
    }
  }
}

function isOurs(configuration: KubeObject): boolean {
  return configuration.metadata.labels?.[MANAGED_BY] === OWNER;
}
