// A fleet on one port: each cluster under `/clusters/NAME`, with its own credentials, and its faults felt on connections.
import type { Transport } from "../../../kube/client/transport.ts";
import { systemClock } from "../../../runtime/clock.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { jsonResponse } from "../../apiserver/handlers/answers.ts";
import { formatKubeconfig, type KubeconfigEntry } from "../../apiserver/http/kubeconfig.ts";
import { type Listener, listen, type ServedApi } from "../../apiserver/http/listener.ts";
import { unauthorized } from "../../apiserver/registry/status-error.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { SimulatedFleet } from "../simulated-fleet.ts";
import { fleetApi } from "./fleet-api.ts";

/** Where the fleet is served. */
export interface ServeFleetOptions {
  /** Address to bind; 127.0.0.1 by default. */
  readonly host?: string;
  /** 0, the default, picks a free port. */
  readonly port?: number;
  /** Where the certificates are kept; made when missing, private to its owner. */
  readonly directory: string;
  readonly logger: Logger;
  /** Further names under which clients reach the port. */
  readonly hostnames?: readonly string[];
}

/** A fleet that clients reach. */
export interface ServedFleet {
  /** `https://host:port`. */
  readonly url: string;
  /** A kubeconfig with a context for each cluster, of its name. Contains private keys: write it with mode 0600. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** Names of the administrators that the kubeconfig has: each is known in one cluster only. */
const ADMIN = "kubernetes-admin:";

/** Opens a port for a fleet. Closing it leaves the fleet running. */
export async function serveFleet(fleet: SimulatedFleet, options: ServeFleetOptions): Promise<ServedFleet> {
  const { host = "127.0.0.1", port = 0, directory, logger, hostnames = [] } = options;
  const servers = new Map<string, ServedApi>([["", fleetApi(fleet)]]);
  for (const cluster of fleet.clusters.values()) servers.set(`/clusters/${cluster.name}`, servedCluster(cluster));
  // Certificates are checked by the time outside, whatever the fleet's is.
  const listener = await listen(servers, { host, port, directory, clock: systemClock, logger, hostnames });
  const kubeconfig = formatKubeconfig(await entriesOf(fleet, listener));
  return { url: listener.url, kubeconfig, close: () => listener.close() };
}

async function entriesOf(fleet: SimulatedFleet, listener: Listener): Promise<KubeconfigEntry[]> {
  const entries: KubeconfigEntry[] = [];
  for (const name of fleet.clusters.keys()) {
    entries.push({
      name,
      server: `${listener.url}/clusters/${name}`,
      caPem: listener.caPem,
      credentials: await listener.issue(`${ADMIN}${name}`, ["system:masters"]),
    });
  }
  return entries;
}

/** The cluster as others find it, to whom the administrator of another one is nobody. */
function servedCluster({ name, served }: SimulatedCluster): ServedApi {
  const handle: Transport = (request) => {
    const { name: user = "" } = request.user ?? {};
    if (!user.startsWith(ADMIN) || user === `${ADMIN}${name}`) return served.handle(request);
    const error = unauthorized();
    return Promise.resolve(jsonResponse(error.code, error.status));
  };
  return { ...served, handle };
}
