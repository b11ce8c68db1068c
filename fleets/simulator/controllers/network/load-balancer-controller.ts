// What a cloud does: gives Services of type LoadBalancer an address, and Ingresses that of the Ingress controller.
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { perform, type Reconcile, type Steps, tell } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchSelf } from "../../kernel/controller.ts";
import { addressesOf, freeAddress, ingressAddress, loadBalancerDelayMs } from "./load-balancer-addresses.ts";
import { type Service, serviceOf } from "./service-object.ts";

const CLEANUP = "service.kubernetes.io/load-balancer-cleanup";

/** Gives Services of type LoadBalancer an address, as a cloud does. */
export function loadBalancerController(): Controller {
  /** What the load balancers that are there, or on their way, were made from. */
  const made = new Map<string, { readonly view: unknown; readonly readyAt: number }>();

  function* ensure(key: string, service: Service, world: World): Reconcile {
    const now = world.now();
    const view = viewOf(service);
    const known = made.get(key);
    const hasAddress = addressesOf(service).length > 0;
    if (known === undefined && hasAddress) made.set(key, { view, readyAt: now });
    else if (known === undefined || !equalJson(known.view, view)) {
      yield* tell(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
      yield* setFinalizer(service, true);
      // Only a new one takes time.
      const readyAt = hasAddress ? now : (known?.readyAt ?? now + loadBalancerDelayMs(world));
      made.set(key, { view, readyAt });
      if (hasAddress) yield* tell(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
    }
    const left = (made.get(key)?.readyAt ?? now) - now;
    if (left > 0) return { afterMs: left };
    if (hasAddress) return undefined;
    yield* tell(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
    const given = service.spec.loadBalancerIP ?? "";
    const ip = given === "" ? freeAddress(world) : given;
    const patch = { status: { loadBalancer: { ingress: [{ ip, ipMode: "VIP" }] } } };
    yield* perform({ do: "patch", object: service, patch, subresource: "status" });
    return undefined;
  }

  return {
    name: "service-controller",
    manager: "cloud-controller-manager",
    watches: [watchSelf("services")],
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      const object = world.state.get("services", namespace, name);
      if (object === undefined) {
        made.delete(key);
        return undefined;
      }
      const service = serviceOf(object);
      const { type, loadBalancerClass } = service.spec;
      if (type === "LoadBalancer" && service.metadata.deletionTimestamp === undefined)
        // Somebody else looks after those of a class.
        return loadBalancerClass === undefined ? yield* ensure(key, service, world) : undefined;
      if (!hasFinalizer(service)) return undefined;
      made.delete(key);
      yield* tell(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer");
      if (addressesOf(service).length > 0) {
        const patch = { status: { loadBalancer: { ingress: null } } };
        yield* perform({ do: "patch", object: service, patch, subresource: "status" });
      }
      yield* tell(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
      yield* setFinalizer(service, false);
      return undefined;
    },
  };
}

function hasFinalizer({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(CLEANUP) === true;
}

function* setFinalizer(service: Service, isWanted: boolean): Steps<void> {
  if (hasFinalizer(service) === isWanted) return;
  const others = service.metadata.finalizers?.filter((each) => each !== CLEANUP) ?? [];
  const finalizers = isWanted ? [...others, CLEANUP] : others;
  yield* perform({ do: "patch", object: service, patch: { metadata: { finalizers } } });
}

/** What of a Service its load balancer depends on. */
function viewOf({ metadata, spec }: Service): unknown {
  const { selector: _, clusterIP: __, ...view } = spec;
  return { uid: metadata.uid, annotations: metadata.annotations, ...view };
}

/** Gives Ingresses an address, as an ingress controller does. */
export function ingressController(): Controller {
  return {
    name: "ingress-controller",
    manager: "ingress-controller",
    watches: [watchSelf("networking.k8s.io/ingresses")],
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      const ingress = world.state.get("networking.k8s.io/ingresses", namespace, name);
      if (ingress === undefined || ingress.metadata.deletionTimestamp !== undefined) return undefined;
      if (addressesOf(ingress).length > 0) return undefined;
      const left = Date.parse(ingress.metadata.creationTimestamp ?? "") + loadBalancerDelayMs(world) - world.now();
      if (left > 0) return { afterMs: left };
      const patch = { status: { loadBalancer: { ingress: [{ ip: ingressAddress(world) }] } } };
      yield* perform({ do: "patch", object: ingress, patch, subresource: "status" });
      return undefined;
    },
  };
}
