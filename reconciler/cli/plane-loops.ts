// All loops of a control plane over a store that is there already.
import { Fleet } from "../../fleets/fleet.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { type ControllerContext, createContext, type Profile } from "../controllers/context.ts";
import { type Manager, startManager } from "../controllers/manager.ts";
import type { ReporterTools } from "../controllers/pull-requests/reporters.ts";
import type { QuotaLedger } from "../controllers/quota/quota-ledger.ts";
import { estimateDetails } from "../controllers/scheduling/estimators.ts";
import type { GitFetcher } from "../controllers/sync/git-repository.ts";
import type { SyncRenderer } from "../controllers/sync/sync-apply.ts";
import { memberRateOf } from "./apply-settings.ts";

/** What loops need of the world around them. */
export interface PlaneLoopsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newUuid: () => string;
  readonly metrics?: Metrics | undefined;
  readonly profile?: Partial<Profile> | undefined;
  /** Members that live in this process, by cluster name. */
  readonly local: (clusterName: string) => Transport | undefined;
  /** What stands before every request to a member. */
  readonly guard?: ((transport: Transport) => Transport) | undefined;
  readonly fetcher: GitFetcher;
  readonly renderer: SyncRenderer;
  /** What admission has charged to quotas. */
  readonly ledger: QuotaLedger;
  /** What Reporters need; absent: nothing is done for them. */
  readonly reporters?: ReporterTools | undefined;
}

/** Loops that run. */
export interface PlaneLoops {
  readonly context: ControllerContext;
  readonly fleet: Fleet;
  readonly manager: Manager;
  /** Ends the loops and the connections to members. */
  stop(): Promise<void>;
}

/** Starts them over a store in which our definitions are installed; resolves when all run. */
export async function startPlaneLoops(options: PlaneLoopsOptions): Promise<PlaneLoops> {
  const { client, clock, logger, newUuid, metrics, profile, local, guard, fetcher, renderer, ledger, reporters } =
    options;
  const context = createContext({
    client,
    clock,
    logger,
    newUuid,
    ...(metrics === undefined ? {} : { metrics }),
    ...(profile === undefined ? {} : { profile }),
  });
  const fleet = new Fleet({
    clock,
    logger,
    local,
    guard,
    estimates: estimateDetails(context.profile),
    rate: memberRateOf(context.profile),
  });
  const manager = await startManager({ context, fleet, fetcher, renderer, ledger, reporters });
  return {
    context,
    fleet,
    manager,
    stop: async () => {
      // Together: a loop may wait for a member that hangs, and only the end of the connection ends that.
      await Promise.all([manager.stop(), fleet.close()]);
    },
  };
}
