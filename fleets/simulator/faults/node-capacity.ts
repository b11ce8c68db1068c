import { equalJson, isObject } from "../../../kube/object.ts";
import { nodeResources } from "../cluster-facts.ts";
import { perform } from "../kernel/action.ts";
import { type Controller, objectKey, splitKey, watchSelf } from "../kernel/controller.ts";

/** Lets Nodes show what faults leave of their resources, and all of them again when a fault is over. */
export function nodeCapacityController(): Controller {
  return {
    name: "node-capacity",
    manager: "kubelet",
    watches: [watchSelf("nodes")],
    disturbed: ({ state }) => state.list("nodes").map((node) => objectKey(node)),
    *reconcile(key, { state, disturbances }) {
      const { name } = splitKey(key);
      const wanted = disturbances.resourcesOf(name);
      const node = state.get("nodes", undefined, name);
      if (wanted === undefined || node === undefined || equalJson(nodeResources(node), wanted)) return undefined;
      const status = isObject(node["status"]) ? node["status"] : {};
      yield* perform({ do: "update", object: { ...node, status: { ...status, ...wanted } }, subresource: "status" });
      return undefined;
    },
  };
}
