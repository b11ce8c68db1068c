// Keeps the EndpointSlices of Services.
import { attempt, perform, type Reconcile, remove } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { DueKeys } from "../due-keys.ts";
import { type EndpointSlice, MANAGED_BY, planSlices, SERVICE_NAME, SLICE_MANAGER } from "./endpoint-slices.ts";
import { isFollowed, podsBehind, type Service, serviceOf } from "./service-object.ts";
import { watchPodsOfServices } from "./service-watches.ts";
import { TriggerTimes, withTriggerTime } from "./trigger-times.ts";

const SLICES = "discovery.k8s.io/endpointslices";
/** As Kubernetes: what others did to slices is mended after a second. */
const MEND_AFTER_MS = 1_000;
const LONGEST_RETRY_MS = 1_000_000;

/** Lists the Pods of each Service in EndpointSlices. */
export function endpointSliceController(): Controller {
  const due = new DueKeys();
  const triggers = new TriggerTimes();
  /** How often Pods had to be left out, one time after the other. */
  const incomplete = new Map<string, number>();
  /** The Service whose slices are being written: changes of them are ours. */
  let writing: string | undefined;

  function* sync(key: string, service: Service, world: World): Reconcile {
    const { state } = world;
    const pods = podsBehind(service, state, true);
    const existing = state.ownedBy(service, SLICES).filter(isOurs) as EndpointSlice[];
    const plan = planSlices(service, pods, existing, (name) =>
      name === "" ? undefined : state.get("nodes", "", name),
    );
    const time = triggers.next(key, service, pods);
    const stamped = (slice: EndpointSlice): EndpointSlice => {
      const { annotations, ...metadata } = slice.metadata;
      return { ...slice, metadata: { ...metadata, ...withTriggerTime(annotations, time) } };
    };
    // The garbage collector is at work when the Service goes.
    const isLeaving = service.metadata.deletionTimestamp !== undefined;
    for (const slice of isLeaving ? [] : plan.create) {
      const outcome = yield* attempt({ do: "create", object: stamped(slice) });
      if (!outcome.ok && outcome.error.status.code !== 403) throw outcome.error;
    }
    for (const slice of plan.update) yield* perform({ do: "update", object: stamped(slice) });
    for (const slice of plan.remove) yield* remove(slice);
    if (!plan.isIncomplete) incomplete.delete(key);
    else {
      const count = (incomplete.get(key) ?? 0) + 1;
      incomplete.set(key, count);
      due.want(key, world.now() + Math.min(LONGEST_RETRY_MS, MEND_AFTER_MS * 2 ** Math.min(count - 1, 10)));
    }
    return undefined;
  }

  return {
    name: "endpoint-slice-controller",
    manager: "kube-controller-manager",
    watches: [
      {
        resource: "services",
        keys: ({ object }, world) => {
          due.want(objectKey(object), world.now());
          return [objectKey(object)];
        },
      },
      {
        ...watchPodsOfServices,
        keys: (change, world) => {
          const keys = [...watchPodsOfServices.keys(change, world)];
          for (const key of keys) due.want(key, world.now());
          return keys;
        },
      },
      {
        resource: SLICES,
        keys: ({ object }, world) => {
          const name = object.metadata.labels?.[SERVICE_NAME];
          const key = `${object.metadata.namespace ?? ""}/${name}`;
          if (name === undefined || !isOurs(object) || key === writing) return [];
          due.want(key, world.now() + MEND_AFTER_MS);
          return [key];
        },
      },
    ],
    *reconcile(key, world): Reconcile {
      if (due.take(key, world.now())) {
        const { namespace, name } = splitKey(key);
        const object = world.state.get("services", namespace, name);
        const service = object === undefined ? undefined : serviceOf(object);
        if (service === undefined) {
          triggers.forget(key);
          incomplete.delete(key);
        } else if (isFollowed(service)) {
          writing = key;
          try {
            yield* sync(key, service, world);
          } catch (error) {
            due.want(key, world.now());
            throw error;
          } finally {
            writing = undefined;
          }
        }
      }
      return due.remaining(key, world.now());
    },
  };
}

function isOurs({ metadata }: { readonly metadata: EndpointSlice["metadata"] }): boolean {
  return metadata.labels?.[MANAGED_BY] === SLICE_MANAGER && metadata.deletionTimestamp === undefined;
}
