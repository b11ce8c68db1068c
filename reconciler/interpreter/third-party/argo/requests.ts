// Annotations by which people ask Argo CD for something once, and which it takes away when it has been done.

import type { KubeObject } from "../../../../kube/object.ts";

const REQUESTS = [
  "argocd.argoproj.io/refresh",
  "argocd.argoproj.io/hydrate",
  "argocd.argoproj.io/application-set-refresh",
];

/**
 * `desired` without the requests that the copy has no more, or never had: they say no time, so that one which was handled
 * cannot be told from a new one, and to bring it back would have it handled again and again.
 */
export function withoutHandledRequests(desired: KubeObject, observed: KubeObject): KubeObject {
  const { annotations } = desired.metadata;
  const handled = REQUESTS.filter(
    (request) => annotations?.[request] !== undefined && observed.metadata.annotations?.[request] === undefined,
  );
  if (annotations === undefined || handled.length === 0) return desired;
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !handled.includes(key)));
  return { ...desired, metadata: { ...desired.metadata, annotations: kept } };
}
