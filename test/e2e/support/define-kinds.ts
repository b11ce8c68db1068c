// Kinds of custom resources, defined where a test needs them.
import { expect } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import { type KubeObject, parseApiVersion } from "../../../kube/object.ts";
import { eventually } from "./eventually.ts";
import { applyAll, type Plane } from "./plane.ts";

/** Products whose kinds have no status subresource: a status is written with the object it is in. */
export const STATUS_INSIDE: readonly string[] = ["argoproj.io/v1alpha1 Application", "argoproj.io/v1alpha1 Workflow"];

/** The definition of a namespaced kind such as `ray.io/v1 RayJob`, with any fields. */
export function definitionOf(kind: string): KubeObject {
  const [apiVersion = "", name = ""] = kind.split(" ");
  const { group, version } = parseApiVersion(apiVersion);
  const singular = name.toLowerCase();
  const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const subresources = STATUS_INSIDE.includes(kind) ? {} : { subresources: { status: {} } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: `${singular}s`, singular, kind: name, listKind: `${name}List` },
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
      const { items } = await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
      const cluster = items.find(({ metadata }) => metadata.name === name);
      expect(servedBy(cluster)).toEqual(expect.arrayContaining([...kinds]));
    });
  }
}

function servedBy(cluster: Cluster | undefined): readonly string[] {
  return (cluster?.status?.apiEnablements ?? []).flatMap(
    ({ groupVersion, resources }) => resources?.map(({ kind }) => `${groupVersion} ${kind}`) ?? [],
  );
}
