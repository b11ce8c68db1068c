// The store in an API server that is not ours, and what that server is to ask of this process.
import { randomUUID } from "node:crypto";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { admissionRules } from "./admission.ts";
import { registerWebhooks, unregisterWebhooks } from "./admission-registration.ts";
import { answerReviews } from "./admission-reviews.ts";
import { SERVED_WEBHOOKS } from "./admission-webhooks.table.ts";
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
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface KubernetesEngine {
  readonly client: KubeClient;
  /** Address of the API server. */
  readonly url: string;
  /** Undefined when the API server cannot reach this process. */
  readonly extensions: ExtensionListener | undefined;
  /** Registers what the API server is to ask; call when our definitions are installed. */
  register(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the store, and opens the port by which it reaches this process. */
export async function connectKubernetes(options: KubernetesEngineOptions): Promise<KubernetesEngine> {
  const { logger, clock } = options;
  const transport = await openHttpTransportFile(options.kubeconfig);
  const client = new KubeClient(transport.send);
  const advertise = options.advertise ?? (isLoopback(new URL(transport.server).hostname) ? LOCAL : undefined);
  let extensions: ExtensionListener | undefined;
  try {
    extensions = advertise === undefined ? undefined : await openExtensionListener({ ...options, advertise });
  } catch (error) {
    await transport.close();
    throw error;
  }
  if (extensions !== undefined) {
    const rules = admissionRules(clock, randomUUID);
    for (const { path, half } of SERVED_WEBHOOKS) extensions.route(path, answerReviews(half, rules, logger));
  }
  return {
    client,
    url: transport.server,
    extensions,
    async register() {
      if (extensions !== undefined) {
        await registerWebhooks(client, extensions, logger);
        return;
      }
      logger.warn("left out admission: the API server cannot reach this process, give its address by --advertise", {
        server: transport.server,
      });
      // Left by a run that was reachable and ended without taking them back.
      await unregisterWebhooks(client, logger);
    },
    async close() {
      if (extensions !== undefined) await unregisterWebhooks(client, logger);
      await extensions?.close();
      await transport.close();
    },
  };
}

const LOCAL: AdvertisedAddress = { host: "127.0.0.1", port: undefined };
