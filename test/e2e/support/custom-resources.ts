// Definitions of custom resources, and the part of their controllers in members: tests write the status themselves.
import { expect } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { parseApiVersion } from "../../../kube/object.ts";
import { eventually } from "./eventually.ts";
import { applyAll, type Plane } from "./plane.ts";

/** Products whose kinds have no status subresource: a status is written with the object it is in. */
const STATUS_INSIDE: readonly string[] = ["argoproj.io/v1alpha1 Application", "argoproj.io/v1alpha1 Workflow"];

/** The definition of a namespaced kind such as `ray.io/v1 RayJob`, with any spec, and a status as its product has it. */
export function definitionOf(kind: string): KubeObject {
  const [apiVersion = "", name = ""] = kind.split(" ");
  const { group, version } = parseApiVersion(apiVersion);
  const plural = `${name.toLowerCase()}s`;
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const openAPIV3Schema = { type: "object", properties: { spec: anything, status: anything, operation: anything } };
  const subresources = STATUS_INSIDE.includes(kind) ? {} : { subresources: { status: {} } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind: name },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema }, ...subresources }],
    },
  };
}

/**
 * Defines the kinds in the control plane and in every member; resolves when all of them serve the kinds, and the control
 * plane knows it of every member: a template that came before would be given to those that are known by then.
 */
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
  for (const { name } of plane.members) {
    await eventually(async () => {
      // The schema of the kind.
      const cluster = (await plane.client.get(clusterRef(name))) as unknown as Cluster;
      expect(servedBy(cluster)).toEqual(expect.arrayContaining([...kinds]));
    });
  }
}

function clusterRef(name: string): ObjectRef {
  return { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name };
}

function servedBy({ status }: Cluster): readonly string[] {
  return (status?.apiEnablements ?? []).flatMap(
    ({ groupVersion, resources }) => resources?.map(({ kind }) => `${groupVersion} ${kind}`) ?? [],
  );
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
  const isInside = STATUS_INSIDE.includes(`${ref.apiVersion} ${ref.kind}`);
  await eventually(async () => {
    const copy = await client.get(ref);
    const written = { ...copy, status: status(copy.metadata.generation ?? 0) };
    await client.update(written, isInside ? {} : { subresource: "status" });
  });
}
