// Which Services a change of a Pod concerns.
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { objectKey, type Watch } from "../../kernel/controller.ts";
import { isReady, podOf } from "../pod-object.ts";
import { isFollowed, selects, serviceOf } from "./service-object.ts";

/** Follows Pods: the keys are those of the Services that select them, or did, when an endpoint may change by it. */
export const watchPodsOfServices: Watch = {
  resource: "pods",
  keys: ({ type, object, previous }, { state }) => {
    const before = type === "updated" ? previous() : undefined;
    if (before !== undefined && equalJson(endpointView(before), endpointView(object))) return [];
    const services = state.list("services", object.metadata.namespace).map(serviceOf).filter(isFollowed);
    const concerned = services.filter(
      (service) =>
        selects(service, object.metadata.labels) || (before !== undefined && selects(service, before.metadata.labels)),
    );
    return concerned.map(objectKey);
  },
};

/** What of a Pod shows in endpoints. */
function endpointView(object: KubeObject): unknown {
  const pod = podOf(object);
  const { labels, deletionTimestamp } = pod.metadata;
  const { hostname, subdomain } = pod.spec;
  return [labels, hostname, subdomain, deletionTimestamp, isReady(pod), pod.status.podIPs];
}
