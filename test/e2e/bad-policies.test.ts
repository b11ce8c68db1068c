// Policies that cannot be meant: kubectl, a Sync and a plan refuse them, before anything changes; on both engines.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkManifest } from "../../api/validate-manifest.ts";
import type { KubeObject } from "../../kube/object.ts";
import { runCli } from "../../reconciler/cli/main.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf, orderedReplicas, readBinding, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NAMESPACE = "shop";
const POLICY = "policy.karmada.io/v1alpha1 PropagationPolicy";
const ID = "propagationpolicy.karmada.io/permanent-id";
const WEB = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };

function bad(spec: Record<string, unknown>, selectors: readonly Record<string, unknown>[] = [WEB]): KubeObject {
  return policy({ namespace: NAMESPACE, name: "bad", selectors, spec: { ...spec } });
}

function weighing(weight: unknown): KubeObject {
  const staticWeightList = [{ targetCluster: { clusterNames: ["paris-1"] }, weight }];
  return bad({
    placement: { replicaScheduling: { replicaSchedulingType: "Divided", weightPreference: { staticWeightList } } },
  });
}

const WEIGHT = "spec.placement.replicaScheduling.weightPreference.staticWeightList[0].weight";
const GROUP = "spec.placement.clusterAffinities[0].affinityName";

/** What is wrong, the field that the refusal names, and what it says in our words. */
const CASES: readonly (readonly [what: string, written: KubeObject, field: string, words: RegExp])[] = [
  [
    "more groups at least than at most",
    bad({ placement: { spreadConstraints: [{ spreadByField: "cluster", minGroups: 3, maxGroups: 2 }] } }),
    "spec.placement.spreadConstraints[0]",
    /maxGroups 2 is lower than minGroups 3/,
  ],
  [
    "two constraints of one field",
    bad({
      placement: {
        spreadConstraints: [
          { spreadByField: "cluster", maxGroups: 2 },
          { spreadByField: "cluster", maxGroups: 1 },
        ],
      },
    }),
    "spec.placement.spreadConstraints",
    /\[1\] is a second constraint for cluster/,
  ],
  ["a weight of 0", weighing(0), WEIGHT, /1/],
  ["a weight below 0", weighing(-1), WEIGHT, /1/],
  ["a weight that overflows", weighing(9_223_372_036_854_775_808n), WEIGHT, /./],
  [
    "overflow from every cluster",
    bad({
      placement: {
        replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
        clusterAffinities: [{ affinityName: "all", overflowAffinities: [{ affinityName: "more" }] }],
      },
    }),
    "spec.placement.clusterAffinities[0].overflowAffinities",
    /selects every cluster, which leaves nothing to overflow to/,
  ],
  [
    "a toleration that compares",
    bad({ placement: { clusterTolerations: [{ key: "a", operator: "Gt", value: "1" }] } }),
    "spec.placement.clusterTolerations[0].operator",
    /"Gt"/,
  ],
  [
    "a group name of 33 characters",
    bad({ placement: { clusterAffinities: [{ affinityName: "a".repeat(33) }] } }),
    GROUP,
    /32/,
  ],
  [
    "an unknown way to purge",
    bad({ failover: { cluster: { purgeMode: "Softly" } } }),
    "spec.failover.cluster.purgeMode",
    /"?Softly"?|Directly/,
  ],
  [
    "failover without dependencies",
    bad({ failover: { application: { decisionConditions: {} } } }),
    "spec.propagateDeps",
    /must be true where failover\.application is set/,
  ],
  [
    "objects of another namespace",
    bad({}, [{ ...WEB, namespace: "bank" }]),
    "spec.resourceSelectors[0].namespace",
    /own namespace only, which is "shop"; use a ClusterPropagationPolicy/,
  ],
  [
    "preemption of objects without name",
    bad({ preemption: "Always" }, [{ apiVersion: "apps/v1", kind: "Deployment" }]),
    "spec.resourceSelectors[0].name",
    /needs the names of the objects/,
  ],
  [
    "a change of the scheduler",
    policy({ namespace: NAMESPACE, name: "running", selectors: [WEB], spec: { schedulerName: "other" } }),
    "spec.schedulerName",
    /cannot change from "default-scheduler"/,
  ],
];

const withGit = hasGit();
const withKubectl = hasKubectl();

describe.each(engines())("bad policies, store: %s", (engine) => {
  let plane: Plane;
  let folder: string;
  let repository: ServedRepository;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    folder = mkdtempSync(join(tmpdir(), "flaghoist-bad-policies-"));
    mkdirSync(join(folder, "policies"));
    await applyAll(
      plane.client,
      namespaceObject(NAMESPACE),
      policy({ namespace: NAMESPACE, name: "running", selectors: [WEB] }),
      deployment({ namespace: NAMESPACE, replicas: 1 }),
    );
    await eventually(async () => expect(Object.keys(await orderedReplicas(plane, NAMESPACE))).toHaveLength(3));
    if (!withGit) return;
    repository = await serveRepository();
    repository.push("Begin", { "README.md": "policies" });
    await applyAll(plane.client, gitRepository(NAMESPACE, "policies", repository.url), sync(NAMESPACE, "policies"));
  }, 120_000);

  afterAll(async () => {
    await repository?.close();
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Our words, as files are checked. */
  async function wordsOf(written: KubeObject): Promise<string[]> {
    const target = ref(POLICY, NAMESPACE, written.metadata.name ?? "");
    const stored = await plane.client.find(target);
    return checkManifest(written, { stored })
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => message);
  }

  async function expectUntouched(): Promise<void> {
    const { items } = await plane.client.list("policy.karmada.io/v1alpha1", "PropagationPolicy", {
      namespace: NAMESPACE,
    });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["running"]);
    expect(conditionOf(await readBinding(plane, NAMESPACE, "web-deployment"), "Scheduled")?.status).toBe("True");
    expect(Object.keys(await orderedReplicas(plane, NAMESPACE))).toHaveLength(3);
  }

  describe.runIf(withKubectl)("to kubectl", () => {
    it.each(CASES)("%s", async (_, written, field, words) => {
      const kubectl = new Kubectl(plane.kubeconfig, folder);

      const { code, err } = await kubectl.try(["apply", "-f", "-"], { input: yamlOf(written) });

      expect(code).not.toBe(0);
      expect(err).toContain(field);
      expect(err).toMatch(words);
      await expectUntouched();
    });

    it("an unknown field", async () => {
      const kubectl = new Kubectl(plane.kubeconfig, folder);
      const input = yamlOf(bad({ placement: { clusterAfinity: {} } }));

      const { code, err } = await kubectl.try(["apply", "-f", "-"], { input });

      expect(code).not.toBe(0);
      expect(err).toContain('unknown field "spec.placement.clusterAfinity"');
      await expectUntouched();
    });

    it("a policy that loses its id", async () => {
      const kubectl = new Kubectl(plane.kubeconfig, folder);

      const { code, err } = await kubectl.try(["-n", NAMESPACE, "label", "pp/running", `${ID}-`]);

      expect(code).not.toBe(0);
      expect(err).toContain(ID);
      await expectUntouched();
    });

    it("what selects everything is stored with a warning", async () => {
      const kubectl = new Kubectl(plane.kubeconfig, folder);
      const everything = {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterPropagationPolicy",
        metadata: { name: "everything" },
        spec: { resourceSelectors: [{ apiVersion: "v1", kind: "Secret" }] },
      };

      const { code, err } = await kubectl.try(["apply", "--dry-run=server", "-f", "-"], { input: yamlOf(everything) });

      expect(code).toBe(0);
      expect(err).toContain("Warning: spec.resourceSelectors[0]: selects every Secret of every namespace");
    });

    it("what is legal, but surely not meant, is stored with a warning", async () => {
      const kubectl = new Kubectl(plane.kubeconfig, folder);
      const labelSelector = { matchExpressions: [{ key: "app", operator: "Is" }] };
      const odd: KubeObject = policy({
        namespace: NAMESPACE,
        name: "odd",
        selectors: [
          { apiVersion: "v1", kind: "Secret", labelSelector },
          { ...WEB, namespace: NAMESPACE },
        ],
        placement: { spreadConstraints: [{ spreadByField: "cluster" }] },
      });
      // The other policy is known to admission once its informer has it.
      await eventually(async () => {
        const { code, err } = await kubectl.try(["apply", "--dry-run=server", "-f", "-"], { input: yamlOf(odd) });
        expect(code).toBe(0);
        expect(err).toContain(
          "Warning: spec.resourceSelectors[0].labelSelector: matches nothing, because it is not valid",
        );
        expect(err).toContain("Warning: spec.placement.spreadConstraints[0]: without maxGroups no cluster is selected");
        expect(err).toContain(
          "Warning: spec.resourceSelectors[1]: PropagationPolicy running also names Deployment web",
        );
      });

      expect((await kubectl.try(["apply", "-f", "-"], { input: yamlOf(odd) })).code).toBe(0);
      const stored = await plane.client.get(ref(POLICY, NAMESPACE, "odd"));
      expect(stored["spec"]).toMatchObject({ resourceSelectors: [{ labelSelector }, {}] });
      await plane.client.delete(ref(POLICY, NAMESPACE, "odd"));
      await eventually(async () => (await plane.client.find(ref(POLICY, NAMESPACE, "odd"))) === undefined);
    });
  });

  describe.runIf(withGit)("in a repository", () => {
    it.each(CASES)(
      "%s is refused at its file and line, and by the plan at that of the field",
      async (_, written, field, words) => {
        const said = (await wordsOf(written)).join("; ");
        expect(said).toMatch(words);
        expect(said).toContain(`${field}: `);
        const file = `# Written in a hurry.\n${yamlOf(written)}`;
        writeFileSync(join(folder, "policies", "bad.yaml"), file);

        repository.push("Break", { "bad.yaml": file });

        await eventually(async () => {
          const ready = conditionOf(await readSync(plane, NAMESPACE, "policies"), "Ready");
          expect(ready).toMatchObject({ status: "False", reason: "ObjectInvalid" });
          expect(ready?.message).toContain(`bad.yaml:2: ${said}`);
        });
        const planned = await plan();
        for (const message of await wordsOf(written)) expect(planned).toContain(message);
        const [, line] = /policies\/bad\.yaml:(\d+): /.exec(planned) ?? [];
        expect(Number(line)).toBe(lineOf(file, field));
        await expectUntouched();
      },
    );
  });

  /** Where a field begins in a file of indented JSON; of one that is missing, what it is missing in. */
  function lineOf(file: string, field: string): number {
    const lines = file.split("\n");
    const indent = (text: string): number => text.search(/\S/);
    let at = lines.findIndex((text) => text.startsWith("{"));
    for (const [, key, index] of field.matchAll(/([A-Za-z]+)|\[(\d+)\]/g)) {
      const depth = indent(lines[at] ?? "") + 2;
      const end = lines.findIndex((text, line) => line > at && indent(text) < depth);
      const inside = lines.map((text, line) => ({ text, line })).slice(at + 1, end);
      const begins = inside.filter(({ text }) => indent(text) === depth && !/^\s*[}\]]/.test(text));
      const found = key === undefined ? begins[Number(index)] : begins.find(({ text }) => text.includes(`"${key}"`));
      if (found === undefined) break;
      at = found.line;
    }
    return at + 1;
  }

  async function plan(): Promise<string> {
    let said = "";
    const say = (text: string): void => {
      said += text;
    };
    const io = {
      out: say,
      err: say,
      isTerminal: false,
      env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig },
      cwd: folder,
    };
    const code = await runCli(["plan", "policies"], io, new AbortController().signal);
    expect(code).not.toBe(0);
    return said;
  }
});
