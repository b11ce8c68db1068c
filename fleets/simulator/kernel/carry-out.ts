// Does what controllers ask for, by the cluster's API.
import { collectionPath, type KubeClient } from "../../../kube/client/kube-client.ts";
import { ApiStatusError } from "../../../kube/client/status-error.ts";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import type { Action, Outcome } from "./action.ts";
import type { EventRecorder } from "./event-recorder.ts";

/** Carries out one action under a field manager. Errors that are no answer of the server are thrown. */
export async function carryOut(
  client: KubeClient,
  events: EventRecorder,
  component: { readonly name: string; readonly manager: string },
  action: Action,
): Promise<Outcome> {
  const fieldManager = component.manager;
  try {
    switch (action.do) {
      case "create":
        return { ok: true, object: await client.create(action.object, { fieldManager }) };
      case "update": {
        const { object, subresource } = action;
        const options = subresource === undefined ? { fieldManager } : { fieldManager, subresource };
        return { ok: true, object: await client.update(object, options) };
      }
      case "patch": {
        const { object, patch, subresource } = action;
        const options = subresource === undefined ? { fieldManager } : { fieldManager, subresource };
        return { ok: true, object: await client.patch(refOf(object), patch, "merge", options) };
      }
      case "delete": {
        const { object, gracePeriodSeconds, propagation = "Background" } = action;
        await client.raw("DELETE", await pathOf(client, object), {
          kind: "DeleteOptions",
          apiVersion: "v1",
          propagationPolicy: propagation,
          preconditions: { uid: object.metadata.uid },
          ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
        });
        return { ok: true, object: undefined };
      }
      case "evict": {
        const { name, namespace } = action.pod.metadata;
        const metadata = { name, namespace };
        const path = `${await pathOf(client, action.pod)}/eviction`;
        await client.raw("POST", path, { apiVersion: "policy/v1", kind: "Eviction", metadata });
        return { ok: true, object: undefined };
      }
      case "bind": {
        const { name } = action.pod.metadata;
        const target = { apiVersion: "v1", kind: "Node", name: action.node };
        const binding = { apiVersion: "v1", kind: "Binding", metadata: { name }, target };
        await client.raw("POST", `${await pathOf(client, action.pod)}/binding`, binding);
        return { ok: true, object: undefined };
      }
      case "event":
        await events.record(component.name, action);
        return { ok: true, object: undefined };
    }
  } catch (error) {
    if (error instanceof ApiStatusError) return { ok: false, error };
    throw error;
  }
}

async function pathOf(client: KubeClient, object: KubeObject): Promise<string> {
  const info = await client.mapper.get(object.apiVersion, object.kind);
  return `${collectionPath(info, object.metadata.namespace)}/${encodeURIComponent(object.metadata.name ?? "")}`;
}
