// Has the volumes of a Pod bound or made where its node is.

import {
  BOUND_BY_CONTROLLER,
  CLAIMS,
  claimRefTo,
  SELECTED_NODE,
  VOLUMES,
} from "../controllers/volumes/volume-facts.ts";
import { attempt, type Steps } from "../kernel/action.ts";
import type { World } from "../kernel/controller.ts";
import type { VolumePlan } from "./volume-fit.ts";

/** Promises volumes to claims, and tells provisioners of claims on which node the volumes are wanted. */
export function* bindVolumes({ bind, provision }: VolumePlan, node: string, world: World): Steps<void> {
  for (const { claim, volume } of bind) {
    const present = world.state.get(VOLUMES, undefined, volume.metadata.name ?? "");
    if (present === undefined) continue;
    const claimRef = claimRefTo(claim);
    const annotations = { [BOUND_BY_CONTROLLER]: "yes" };
    yield* attempt({ do: "patch", object: present, patch: { metadata: { annotations }, spec: { claimRef } } });
  }
  for (const claim of provision) {
    const { namespace, name = "" } = claim.metadata;
    const present = world.state.get(CLAIMS, namespace, name);
    if (present === undefined || present.metadata.annotations?.[SELECTED_NODE] === node) continue;
    const patch = { metadata: { annotations: { [SELECTED_NODE]: node } } };
    yield* attempt({ do: "patch", object: present, patch });
  }
}
