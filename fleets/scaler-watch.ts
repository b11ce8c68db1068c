// Which workloads of a member are scaled there by an autoscaler. KEDA works through autoscalers of its own, too.
import { Informer } from "../kube/client/informer.ts";
import type { KubeClient } from "../kube/client/kube-client.ts";
import { isForbidden, isNotFound } from "../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef, parseApiVersion } from "../kube/object.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { messageOf } from "../runtime/errors.ts";
import type { Logger } from "../runtime/logger.ts";

const AUTOSCALER = ["autoscaling/v2", "HorizontalPodAutoscaler"] as const;
/** How often a member that does not let us see its autoscalers is asked again. */
const ASK_AGAIN_MS = 600_000;

/** A workload without the version of its API, which autoscalers may name another of. */
export interface ScaleTarget {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function scaleTargetKey({ group, kind, namespace, name }: ScaleTarget): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

export function scaleTargetOf(ref: ObjectRef): ScaleTarget {
  return {
    group: parseApiVersion(ref.apiVersion).group,
    kind: ref.kind,
    namespace: ref.namespace ?? "",
    name: ref.name,
  };
}

/** What an autoscaler, or a ScaledObject of KEDA, scales; undefined for any other object. */
export function targetOfScaler(object: KubeObject): ScaleTarget | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const isAutoscaler = group === "autoscaling" && object.kind === "HorizontalPodAutoscaler";
  const isScaledObject = group === "keda.sh" && object.kind === "ScaledObject";
  if (!isAutoscaler && !isScaledObject) return undefined;
  const spec = object["spec"];
  const target = isObject(spec) ? spec["scaleTargetRef"] : undefined;
  if (!isObject(target) || typeof target["name"] !== "string") return undefined;
  const text = (field: unknown, fallback: string): string =>
    typeof field === "string" && field !== "" ? field : fallback;
  // KEDA's defaults.
  const apiVersion = text(target["apiVersion"], "apps/v1");
  return {
    group: parseApiVersion(apiVersion).group,
    kind: text(target["kind"], "Deployment"),
    namespace: object.metadata.namespace ?? "",
    name: target["name"],
  };
}

export interface ScalerWatchOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when a workload begins or ceases to be scaled. */
  readonly onChange: (target: ScaleTarget) => void;
}

/** Watches a member's autoscalers from the first question on. A member that does not serve or show them has none. */
export class ScalerWatch {
  readonly #options: ScalerWatchOptions;
  readonly #abort = new AbortController();
  /** Names of autoscalers by what they scale. */
  readonly #scalers = new Map<string, Set<string>>();
  #informer: Informer | undefined;
  #running: Promise<void> | undefined;
  #known: Promise<void> | undefined;

  constructor(options: ScalerWatchOptions) {
    this.#options = options;
  }

  /**
   * The autoscaler in charge of a workload: `HorizontalPodAutoscaler shop/web`. Waits until they were listed once; throws
   * when the member does not answer, for then nobody knows.
   */
  async scalerOf(target: ScaleTarget): Promise<string | undefined> {
    this.#known ??= this.#start();
    try {
      await this.#known;
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
    const [name] = this.#scalers.get(scaleTargetKey(target)) ?? [];
    return name === undefined ? undefined : `${AUTOSCALER[1]} ${target.namespace}/${name}`;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#informer?.stop();
    await this.#running;
  }

  async #start(): Promise<void> {
    const { signal } = this.#abort;
    if (await this.#watch(signal)) return;
    this.#running = this.#tryAgain(signal);
  }

  async #tryAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sleep(this.#options.clock, ASK_AGAIN_MS, signal);
        if (await this.#watch(signal)) return;
      } catch {
        // Stopped, or no answer: the time for another try comes.
      }
    }
  }

  /** False when the member does not let us. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const { client, clock, logger } = this.#options;
    const [apiVersion, kind] = AUTOSCALER;
    try {
      if ((await client.mapper.find(apiVersion, kind)) === undefined) return false;
      await client.list(apiVersion, kind, { fieldSelector: "metadata.name=any", signal });
    } catch (error) {
      if (!isForbidden(error) && !isNotFound(error)) throw error;
      logger.debug("autoscalers may not be listed", { error: messageOf(error) });
      return false;
    }
    const informer = new Informer({ client, apiVersion, kind, clock, logger, transform: onlyTarget });
    this.#informer = informer;
    informer.subscribe((change) => {
      if (change.type === "updated") this.#note(change.previous, false);
      this.#note(change.object, change.type !== "deleted");
    });
    informer.start();
    await informer.synced();
    return true;
  }

  #note(scaler: KubeObject, exists: boolean): void {
    const target = targetOfScaler(scaler);
    if (target === undefined) return;
    const key = scaleTargetKey(target);
    const names = this.#scalers.get(key) ?? new Set<string>();
    if (exists) names.add(scaler.metadata.name ?? "");
    else names.delete(scaler.metadata.name ?? "");
    if (names.size === 0) this.#scalers.delete(key);
    else this.#scalers.set(key, names);
    this.#options.onChange(target);
  }
}

function onlyTarget(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const spec = object["spec"];
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: { scaleTargetRef: isObject(spec) ? spec["scaleTargetRef"] : undefined },
  };
}
