// Keeps the legacy Endpoints of Services, which many clients still read.
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { attempt, perform, type Reconcile, remove } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchSelf } from "../../kernel/controller.ts";
import { subsetsOf } from "./endpoints.ts";
import { isFollowed, isHeadless, podsBehind, type Service, serviceOf } from "./service-object.ts";
import { watchPodsOfServices } from "./service-watches.ts";
import { TriggerTimes, withTriggerTime } from "./trigger-times.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const HEADLESS = "service.kubernetes.io/headless";
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

/** Lists the Pods of each Service in its Endpoints. */
export function endpointsController(): Controller {
  const triggers = new TriggerTimes();
  return {
    name: "endpoint-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf("services"), watchSelf("endpoints"), watchPodsOfServices],
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      const object = world.state.get("services", namespace, name);
      const present = world.state.get("endpoints", namespace, name);
      if (object === undefined) {
        triggers.forget(key);
        // As Kubernetes: only those of Services; a cluster may have Endpoints of its own.
        if (present?.metadata.labels?.[MANAGED_BY] !== undefined) yield* remove(present);
        return undefined;
      }
      const service = serviceOf(object);
      if (!isFollowed(service)) return undefined;
      yield* sync(key, service, present, triggers, world);
      return undefined;
    },
  };
}

function* sync(
  key: string,
  service: Service,
  present: KubeObject | undefined,
  triggers: TriggerTimes,
  { state }: World,
): Reconcile {
  const pods = podsBehind(service, state, service.spec.publishNotReadyAddresses === true);
  const { subsets, isTruncated } = subsetsOf(service, pods);
  const time = triggers.next(key, service, pods);
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  const wanted = { ...labels, ...(isHeadless(service) ? { [HEADLESS]: "" } : {}), [MANAGED_BY]: "endpoint-controller" };
  const isSame =
    present !== undefined &&
    equalJson(present["subsets"] ?? [], subsets) &&
    equalJson(present.metadata.labels, wanted) &&
    (present.metadata.annotations?.[OVER_CAPACITY] === undefined) === !isTruncated;
  if (isSame) return undefined;
  const { annotations, ...metadata } = present?.metadata ?? { name: service.metadata.name ?? "" };
  const { [OVER_CAPACITY]: __, ...others } = annotations ?? {};
  const stamped = withTriggerTime(isTruncated ? { ...others, [OVER_CAPACITY]: "truncated" } : others, time);
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...metadata, namespace: service.metadata.namespace ?? "default", labels: wanted, ...stamped },
    subsets,
  };
  if (present !== undefined) yield* perform({ do: "update", object });
  else {
    const outcome = yield* attempt({ do: "create", object });
    if (!outcome.ok && outcome.error.status.code !== 403) throw outcome.error;
  }
  return undefined;
}
