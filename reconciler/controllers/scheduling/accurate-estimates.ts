// Asks accurate estimators before a binding is scheduled: in this process, by Karmada's protocol, or both.
import type { LocalEstimator } from "../../../fleets/estimator/local-estimator.ts";
import type { PendingWorkload } from "../../../fleets/estimator/messages.ts";
import type { RemoteAnswers, RemoteEstimators } from "../../../fleets/estimator/remote-estimators.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { Turn } from "../../../runtime/turn.ts";
import type { DecisionOptions } from "../../scheduler/decide-scheduling.ts";
import { type EstimateNeed, findEstimateNeed } from "../../scheduler/estimates/estimate-need.ts";
import type { ExternalEstimate } from "../../scheduler/options.ts";
import type { AnyBinding } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { bindingKey } from "./binding-key.ts";
import type { FleetState } from "./fleet-state.ts";
import type { SchedulingInput } from "./scheduling-inputs.ts";

export interface AccurateEstimatesOptions {
  readonly context: ControllerContext;
  readonly fleet: FleetState;
  readonly local: LocalEstimator | undefined;
  readonly remote: RemoteEstimators | undefined;
  /** Workloads that are on their way to a cluster (gate SchedulingOvercommitProtection). */
  readonly assumedIn: (cluster: string) => readonly PendingWorkload[];
}

const NOTHING: Partial<DecisionOptions> = {};
/** Bindings may be many; one line a while says that an estimator fails. */
const WARN_EVERY_MS = 30_000;

export class AccurateEstimates implements SchedulingInput {
  readonly #options: AccurateEstimatesOptions;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AccurateEstimatesOptions) {
    this.#options = options;
  }

  optionsFor(binding: AnyBinding): Partial<DecisionOptions> | Promise<Partial<DecisionOptions>> {
    const { context, fleet, local, remote } = this.#options;
    const { featureGates, scheduling } = context.profile;
    const need = findEstimateNeed(binding, fleet.index, { featureGates, schedulerName: scheduling.schedulerName });
    if (need === undefined) return NOTHING;
    const asked = [
      ...(local === undefined ? [] : [this.#askLocal(local, binding, need)]),
      ...(remote === undefined ? [] : [this.#askRemote(remote, binding, need)]),
    ];
    if (asked.some((answer) => answer instanceof Promise))
      return Promise.all(asked).then((answers) => ({ estimates: answers }));
    // None of them is a promise.
    return { estimates: asked as ExternalEstimate[] };
  }

  /** Without waiting while it takes no longer than a turn of the event loop may. */
  #askLocal(
    local: LocalEstimator,
    binding: AnyBinding,
    need: EstimateNeed,
  ): ExternalEstimate | Promise<ExternalEstimate> {
    const answers = new Map<string, number>();
    const estimate: ExternalEstimate = { name: "nodes and pods", replicasOf: (cluster) => answers.get(cluster) };
    const clusters = need.groups.flat();
    const turn = new Turn();
    const ask = (cluster: string): void => {
      try {
        const answer = this.#askOne(local, cluster, need);
        if (answer !== undefined) answers.set(cluster, answer);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#warn(binding, [cluster], error);
      }
    };
    let next = 0;
    while (next < clusters.length && !turn.isOver) ask(clusters[next++] as string);
    if (next === clusters.length) return estimate;
    return (async () => {
      while (next < clusters.length) {
        if (turn.isOver) await turn.next();
        ask(clusters[next++] as string);
      }
      return estimate;
    })();
  }

  #askOne(local: LocalEstimator, cluster: string, need: EstimateNeed): number | undefined {
    const assumed = this.#options.assumedIn(cluster);
    if (need.components === undefined) return local.replicas({ cluster, requirements: need.requirements, assumed });
    return local.sets({ cluster, namespace: need.namespace, components: need.components, assumed });
  }

  async #askRemote(remote: RemoteEstimators, binding: AnyBinding, need: EstimateNeed): Promise<ExternalEstimate> {
    const { assumedIn } = this.#options;
    const { kind, namespace = "", name } = binding.spec.resource;
    const object = `kind=${kind}, name=${namespace}/${name}`;
    const clusters = [...new Set(need.groups.flat())];
    const answers =
      need.components === undefined
        ? await remote.replicas(clusters, need.requirements, assumedIn, object)
        : await remote.sets(clusters, { namespace: need.namespace, components: need.components }, assumedIn, object);
    const usable = this.#usable(binding, need, answers);
    return { name: "estimator", replicasOf: (cluster) => usable.get(cluster) };
  }

  /**
   * As Karmada: where one cluster's estimator fails, the estimators are left out for all clusters that are chosen from
   * together, so that clusters are compared by one measure. A cluster of several affinity groups counts to the first.
   */
  #usable(binding: AnyBinding, need: EstimateNeed, answers: RemoteAnswers): ReadonlyMap<string, number> {
    const { compatibility } = this.#options.context.profile;
    const usable = new Map<string, number>();
    const seen = new Set<string>();
    for (const group of need.groups) {
      const own = group.filter((cluster) => !seen.has(cluster));
      for (const cluster of own) seen.add(cluster);
      const failed = own.filter((cluster) => {
        const answer = answers.get(cluster);
        // Differs from Karmada: clusters without estimator are passed over; there they count as failing.
        return answer === undefined ? compatibility === "karmada" : answer instanceof Error;
      });
      const [first] = failed;
      if (first !== undefined) {
        this.#warn(binding, failed, answers.get(first) ?? new Error(`cluster ${first} has no estimator`));
        continue;
      }
      for (const cluster of own) {
        const answer = answers.get(cluster);
        if (typeof answer === "number") usable.set(cluster, answer);
      }
    }
    return usable;
  }

  #warn(binding: AnyBinding, clusters: readonly string[], error: unknown): void {
    const { clock, logger } = this.#options.context;
    const isDue = clock.now() - this.#warnedAt >= WARN_EVERY_MS;
    if (isDue) this.#warnedAt = clock.now();
    const fields = { binding: bindingKey(binding), clusters: clusters.slice(0, 10), error: messageOf(error) };
    if (isDue) logger.warn("scheduled without estimator", fields);
    else logger.debug("scheduled without estimator", fields);
  }
}
