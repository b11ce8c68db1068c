// A whole agent: its connections, and the loops over them.
import { randomUUID } from "node:crypto";
import type { Cluster } from "../../../api/cluster.ts";
import { Fleet } from "../../../fleets/fleet.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { agentScope, startAgentLoops } from "../../controllers/agent.ts";
import { createContext, type Profile } from "../../controllers/context.ts";
import type { AgentConnection } from "./agent-connection.ts";
import { registerPullCluster } from "./pull-registration.ts";

const RETRY_MS = 5_000;
const RIGHTS_TIMEOUT_MS = 15_000;

export interface AgentOptions {
  /** As it is registered when the control plane does not know it. */
  readonly cluster: Cluster;
  readonly plane: AgentConnection;
  /** The member. */
  readonly member: Transport;
  readonly profile: Partial<Profile>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts. A control plane that does not answer yet is waited for. Throws when the control plane refuses
 * the cluster.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { cluster, plane, member, clock, logger, signal } = options;
  const name = cluster.metadata.name ?? "";
  if (!(await registered(options))) return;
  const context = createContext({
    client: plane.client,
    clock,
    logger,
    profile: options.profile,
    newUuid: randomUUID,
    agentOf: name,
    scopeOf: agentScope(name),
  });
  const fleet = new Fleet({ clock, logger, local: () => member });
  const stopped = new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
  const starting = startAgentLoops(context, fleet);
  const loops = await Promise.race([starting, stopped.then(() => undefined)]);
  logger.info("started the agent", { cluster: name, server: plane.server });
  await stopped;
  // A control plane that never answered leaves it waiting for its first list.
  // Together: a loop may wait for a member that hangs, and only the end of the connection ends that.
  await Promise.all([loops === undefined ? context.informers.stop() : loops.stop(), fleet.close()]);
}

/** False when the end came first. */
async function registered({ cluster, plane, clock, logger, signal }: AgentOptions): Promise<boolean> {
  const name = cluster.metadata.name ?? "";
  while (!signal.aborted) {
    try {
      const outcome = await registerPullCluster(plane.client, cluster, { timeoutMs: RIGHTS_TIMEOUT_MS, clock, signal });
      if (outcome === "created") logger.info("registered the cluster", { cluster: name });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof AppError && error.recovery === "stall") throw error;
      logger.warn("the control plane does not answer yet", { cluster: name, error: messageOf(error) });
    }
    await sleep(clock, RETRY_MS, signal).catch(() => undefined);
  }
  return false;
}
