// Runs specifications of what `flaghoist explain` says: what there is, and the very lines that explain it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../../api/feature-gates.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { type Ran, runFlaghoist } from "../../run-flaghoist.ts";
import { eventually } from "./eventually.ts";
import { deployment, namespaceObject } from "./manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./plane.ts";

const FLEET = {
  ...THREE_CLUSTERS,
  "edge-7": { provider: "acme", labels: { stage: "edge" } },
};
const MAINTENANCE = { key: "maintenance", value: "true", effect: "NoSchedule" };

export interface Situation {
  readonly title: string;
  /** Namespace of its own; also the word by which it is found with `-t`. */
  readonly ns: string;
  readonly given: (ns: string) => readonly KubeObject[];
  /** What happens after the first decision. */
  readonly afterwards?: (plane: Plane, ns: string) => Promise<void>;
  /** Puts right what others should not see. */
  readonly after?: (plane: Plane, ns: string) => Promise<void>;
  /** `deployment/web` unless told otherwise. */
  readonly object?: string;
  /** Nobody makes a decision about it. */
  readonly undecided?: true;
  /** The whole answer, with `N` for ages and versions. */
  readonly says: readonly string[];
}

/** The Deployment with what each of its containers asks for. */
export function withRequests(object: KubeObject, requests: Record<string, string>): KubeObject {
  const copy = structuredClone(object) as KubeObject & {
    spec: { template: { spec: { containers: Record<string, unknown>[] } } };
  };
  for (const container of copy.spec.template.spec.containers) container["resources"] = { requests, limits: requests };
  return copy;
}

export const web = (ns: string, replicas = 6): KubeObject => deployment({ namespace: ns, replicas });

const GADGETS: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.example.org" },
  spec: {
    group: "example.org",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

/** Makes each situation in turn, on each engine, and expects the whole answer of the command line. */
export function specify(subject: string, situations: readonly Situation[]): void {
  describe.each(engines())(`${subject}, store: %s`, (engine) => {
    let plane: Plane;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "flaghoist-explanations-"));
      plane = await startPlane({
        engine,
        members: FLEET,
        profile: {
          featureGates: featureGates({ PropagationPolicyPreemption: true, CustomizedClusterResourceModeling: false }),
        },
      });
      await plane.client.patch(
        ref("cluster.karmada.io/v1alpha1 Cluster", "", "edge-7"),
        { spec: { taints: [MAINTENANCE] } },
        "merge",
      );
      await applyAll(plane.client, GADGETS);
    }, 120_000);

    afterAll(async () => {
      await plane?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    function flaghoist(...args: string[]): Promise<Ran> {
      return runFlaghoist(args, { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
    }

    async function explain(object: string, ns: string): Promise<string[]> {
      const { out, err } = await flaghoist("explain", object, "-n", ns);
      return `${out}${err}`
        .trimEnd()
        .replace(/Decided \d+s ago/g, "Decided N ago")
        .replace(/fleet version \d+/g, "fleet version N")
        .split("\n");
    }

    /** The first decision about what a situation begins with has been made: it may be that nobody decides. */
    async function settle(ns: string): Promise<void> {
      const isDecided = async (): Promise<boolean> => {
        const bindings = await plane.client.list("work.karmada.io/v1alpha2", "ResourceBinding", { namespace: ns });
        return bindings.items.length > 0;
      };
      await eventually(isDecided);
    }

    it.each(situations)(
      "$title ($ns)",
      async ({ ns, given, afterwards, after, object = "deployment/web", undecided, says }) => {
        await applyAll(plane.client, namespaceObject(ns), ...given(ns));
        if (undecided !== true) await settle(ns);
        await afterwards?.(plane, ns);
        await eventually(async () => expect(await explain(object, ns)).toEqual(says));
        await after?.(plane, ns);
      },
    );
  });
}
