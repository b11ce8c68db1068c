// The store in an API server that is not ours, and what that server is to ask of this process.
import { CLUSTER_DEFINITION } from "../../fleets/cluster-kind.ts";
import { ClusterProxy } from "../../fleets/cluster-proxy/cluster-proxy.ts";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { isObject, type ObjectRef } from "../../kube/object.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { type AdmissionSettings, admissionRules } from "./admission.ts";
import { registerWebhooks, unregisterWebhooks } from "./admission-registration.ts";
import { answerReviews } from "./admission-reviews.ts";
import { SERVED_WEBHOOKS } from "./admission-webhooks.table.ts";
import { createClusterExtension, isProxyPath } from "./cluster-extension.ts";
import { registerClusters, unregisterClusters } from "./cluster-registration.ts";
import { PUBLIC_PATH, STORE_VERSION, throughStoreVersion } from "./cluster-versions.ts";
import {
  type AdvertisedAddress,
  type ExtensionListener,
  isLoopback,
  openExtensionListener,
} from "./extension-listener.ts";

export interface KubernetesEngineOptions {
  readonly kubeconfig: string;
  readonly dataFolder: string;
  /** Where to listen for the API server; see `ExtensionListenerOptions`. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Where the API server finds this process; undefined: on this machine, when the API server is there too. */
  readonly advertise: AdvertisedAddress | undefined;
  /** Members that live in this process, by cluster name. */
  readonly local?: ((clusterName: string) => Transport | undefined) | undefined;
  /** What its webhooks ask; given the store. */
  readonly admission: (client: () => KubeClient) => AdmissionSettings;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface KubernetesEngine {
  readonly client: KubeClient;
  /** Versions to serve beside those of the definitions, by name of the definition. */
  readonly furtherVersions: Readonly<Record<string, string>>;
  /** Address of the API server. */
  readonly url: string;
  /** Undefined when the API server cannot reach this process. */
  readonly extensions: ExtensionListener | undefined;
  /** Registers what the API server is to ask; call when our definitions are installed. */
  register(): Promise<void>;
  /** Takes back what `register` registered. */
  withdraw(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the store, and opens the port by which it reaches this process. */
export async function connectKubernetes(options: KubernetesEngineOptions): Promise<KubernetesEngine> {
  const { logger, clock } = options;
  const transport = await openHttpTransportFile(options.kubeconfig);
  const advertise = options.advertise ?? (isLoopback(new URL(transport.server).hostname) ? LOCAL : undefined);
  let extensions: ExtensionListener | undefined;
  try {
    extensions = advertise === undefined ? undefined : await openExtensionListener({ ...options, advertise });
  } catch (error) {
    await transport.close();
    throw error;
  }
  const client = new KubeClient(extensions === undefined ? transport.send : throughStoreVersion(transport.send));
  const proxy = new ClusterProxy({
    readSecret: (reference) => client.find({ apiVersion: "v1", kind: "Secret", ...reference }),
    logger,
    ...(options.local === undefined ? {} : { local: options.local }),
  });
  let trustRenewal: Cancel | undefined;
  // What is registered otherwise belongs to the process that leads.
  let isRegistered = false;
  if (extensions !== undefined) {
    const clusters = createClusterExtension({ store: transport.send, client, proxy, logger });
    extensions.route(PUBLIC_PATH, clusters, isProxyPath);
    extensions.route("/openapi/v3", clusters);
    const rules = admissionRules(options.admission(() => client));
    for (const { path, half } of SERVED_WEBHOOKS) extensions.route(path, answerReviews(half, rules, logger));
  }
  return {
    client,
    furtherVersions: extensions === undefined ? {} : { [CLUSTER_DEFINITION]: STORE_VERSION },
    url: transport.server,
    extensions,
    async register() {
      if (extensions !== undefined) {
        isRegistered = true;
        await registerWebhooks(client, extensions, logger);
        const trust = await keepTrust(client, extensions, { clock, logger });
        trustRenewal = trust.stop;
        // Requests whose user nobody tells would all be refused.
        if (trust.isKnown) await registerClusters(client, extensions, { clock, logger });
        else await unregisterClusters(client, logger);
        return;
      }
      logger.warn(
        "left out admission and clusters/proxy: the API server cannot reach this process, give its address by --advertise",
        {
          server: transport.server,
        },
      );
      // Left by a run that was reachable and ended without taking them back.
      await unregisterWebhooks(client, logger);
      await unregisterClusters(client, logger);
    },
    async withdraw() {
      trustRenewal?.();
      if (!isRegistered) return;
      await unregisterClusters(client, logger);
      await unregisterWebhooks(client, logger);
    },
    async close() {
      await extensions?.close();
      proxy.close();
      await transport.close();
    },
  };
}

const LOCAL: AdvertisedAddress = { host: "127.0.0.1", port: undefined };

const AUTHENTICATION: ObjectRef = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: "kube-system",
  name: "extension-apiserver-authentication",
};
const RENEW_TRUST_MS = 60_000;

type Cancel = () => void;

/** Learns from the API server, again and again, by which certificate it says who its users are. */
async function keepTrust(
  client: KubeClient,
  extensions: ExtensionListener,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<{ readonly isKnown: boolean; readonly stop: Cancel }> {
  let stopped = false;
  let isKnown = false;
  let timer: Timer | undefined;
  async function renew(): Promise<void> {
    try {
      const published = await client.find(AUTHENTICATION);
      const data = isObject(published?.["data"]) ? published["data"] : {};
      const caPem = data["requestheader-client-ca-file"];
      if (typeof caPem !== "string" || caPem === "") {
        logger.warn("left out clusters/proxy: the API server does not tell extensions who its users are", {
          object: "ConfigMap kube-system/extension-apiserver-authentication",
          fix: "start it with --requestheader-client-ca-file and --proxy-client-cert-file",
        });
      } else {
        extensions.trust({ caPem, allowedNames: namesIn(data["requestheader-allowed-names"]) });
        isKnown = true;
      }
    } catch (error) {
      logger.warn("failed to read the authority of the front proxy", { error: messageOf(error) });
    }
    if (!stopped) timer = clock.after(RENEW_TRUST_MS, () => void renew());
  }
  await renew();
  return {
    isKnown,
    stop: () => {
      stopped = true;
      timer?.cancel();
    },
  };
}

function namesIn(text: unknown): string[] {
  try {
    const parsed: unknown = JSON.parse(String(text ?? "[]"));
    return Array.isArray(parsed) ? parsed.map(String) : [];
  } catch {
    return [];
  }
}
