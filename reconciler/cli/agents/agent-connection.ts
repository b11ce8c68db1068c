// An agent's connection to its control plane, over certificates that are renewed before they end.
import { type HttpTransport, openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { readKubeconfig } from "../../../kube/client/kubeconfig-connection.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import { type Clock, sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { agentKubeconfig, certificateLife, requestAgentCertificate } from "./agent-certificate.ts";
import type { CredentialPlace } from "./agent-credentials.ts";

const REQUEST_TIMEOUT_MS = 60_000;
const MIN_CERTIFICATE_S = 600;
const MAX_CERTIFICATE_S = 365 * 86_400;

export interface RotationSettings {
  /** Karmada's --cert-rotation-checking-interval. */
  readonly checkMs: number;
  /** The part of a certificate's life at which it is renewed. Karmada's --cert-rotation-remaining-time-threshold. */
  readonly threshold: number;
}

export interface AgentConnectionOptions {
  readonly cluster: string;
  readonly place: CredentialPlace;
  readonly rotation: RotationSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AgentConnection {
  readonly client: KubeClient;
  readonly server: string;
  close(): Promise<void>;
}

interface Opened {
  readonly kubeconfig: string;
  readonly http: HttpTransport;
}

/**
 * Opens it by the kubeconfig at `place`, which is read again at each check: another process may have renewed it. Throws
 * `agent-not-registered` when there is none.
 */
export async function openAgentConnection(options: AgentConnectionOptions): Promise<AgentConnection> {
  const { cluster, place, clock, logger, rotation } = options;
  const kubeconfig = await place.read();
  if (kubeconfig === undefined)
    throw new AppError(
      "agent-not-registered",
      `there are no credentials of a control plane (${place.description}): run 'flaghoist register' first`,
      { recovery: "stall" },
    );
  let current: Opened = { kubeconfig, http: await openHttpTransport({ kubeconfig }) };
  const { server } = current.http;
  const send: Transport = (request) => current.http.send(request);
  const client = new KubeClient(send);
  const abort = new AbortController();

  async function use(text: string): Promise<void> {
    if (text === current.kubeconfig) return;
    const old = current;
    current = { kubeconfig: text, http: await openHttpTransport({ kubeconfig: text }) };
    // Ends watches and running requests; they begin anew over the new one.
    await old.http.close();
    logger.info("took up other credentials of the control plane", { cluster });
  }

  async function check(): Promise<void> {
    const stored = await place.read();
    if (stored !== undefined) await use(stored);
    const { tls } = await (await readKubeconfig({ kubeconfig: current.kubeconfig })).credentials();
    // Those who brought a token renew it themselves.
    if (tls.cert === undefined || tls.ca === undefined) return;
    const life = certificateLife(String(tls.cert), clock.now());
    if (life.left > rotation.threshold) return;
    // As Karmada: the next one is made for as long; servers sign none for less than ten minutes.
    const seconds = Math.min(Math.max(MIN_CERTIFICATE_S, life.seconds), MAX_CERTIFICATE_S);
    const { signal } = abort;
    const pair = await requestAgentCertificate(client, {
      cluster,
      seconds,
      timeoutMs: REQUEST_TIMEOUT_MS,
      clock,
      signal,
    });
    const renewed = agentKubeconfig(cluster, current.http.server, String(tls.ca), pair);
    // Kept first: a certificate that only this process knew would be lost with it.
    await place.write(renewed);
    await use(renewed);
    logger.info("renewed the agent's certificate", { cluster });
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await check();
      } catch (error) {
        if (abort.signal.aborted) return;
        logger.warn("failed to check the agent's certificate", { cluster, error: messageOf(error) });
      }
      await sleep(clock, rotation.checkMs, abort.signal);
    }
  }

  const running = run().catch((error: unknown) => {
    if (!abort.signal.aborted) logger.error("certificates are no longer renewed", { cluster, error: messageOf(error) });
  });
  return {
    client,
    server,
    async close() {
      abort.abort(new AppError("stopped", "the agent was stopped", { recovery: "retry" }));
      await running;
      await current.http.close();
    },
  };
}
