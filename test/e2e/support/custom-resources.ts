// Definitions of custom resources, and the part of their controllers in members: tests write the status themselves.
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { parseApiVersion } from "../../../kube/object.ts";
import { eventually } from "./eventually.ts";
import { applyAll, type Plane } from "./plane.ts";

/** The definition of a namespaced kind such as `ray.io/v1 RayJob`, with any spec and a status of its own. */
export function definitionOf(kind: string): KubeObject {
  const [apiVersion = "", name = ""] = kind.split(" ");
  const { group, version } = parseApiVersion(apiVersion);
  const plural = `${name.toLowerCase()}s`;
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const openAPIV3Schema = { type: "object", properties: { spec: anything, status: anything } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind: name },
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } },
      ],
    },
  };
}

/** Defines the kinds in the control plane and in every member; resolves when all of them serve the kinds. */
export async function defineEverywhere(plane: Plane, kinds: readonly string[]): Promise<void> {
  const definitions = kinds.map(definitionOf);
  for (const client of [plane.client, ...plane.members.map((member) => member.client)]) {
    await applyAll(client, ...definitions);
    for (const kind of kinds) {
      const [apiVersion = "", name = ""] = kind.split(" ");
      await eventually(async () => {
        await client.list(apiVersion, name);
      });
    }
  }
}

/**
 * Writes the status of a copy as its controller in the member would: for the generation that is there, once it is.
 */
export async function writeMemberStatus(
  plane: Plane,
  member: string,
  ref: ObjectRef,
  status: (generation: number) => Readonly<Record<string, unknown>>,
): Promise<void> {
  const { client } = plane.member(member);
  await eventually(async () => {
    const copy = await client.get(ref);
    await client.update({ ...copy, status: status(copy.metadata.generation ?? 0) }, { subresource: "status" });
  });
}
