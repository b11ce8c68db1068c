// A control plane in this process with many applications on many clusters, each applied by a Sync of its own from one
// repository, as it stands once everything is placed; no loops run in it.
import type { Sync } from "../../api/gitops.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Interpretations } from "../../reconciler/plan/compare-worlds.ts";
import { presentSync, readRepositoryChange } from "../../reconciler/plan/repository-change.ts";
import { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { openWorkingCopy } from "../../sources/git/working-copy.ts";
import { cluster, overridePolicy, policy } from "../builders.ts";
import { GitFixture } from "../git-fixture.ts";
import { openQuietPlane, type QuietPlane } from "../quiet-plane.ts";

const TEAMS = 20;
const REGIONS = ["eu-west", "eu-north", "us-east", "us-west", "ap-south"];
const PROVIDERS = ["aws", "gcp", "azure"];

export interface PlanFleet {
  readonly client: KubeClient;
  readonly repository: GitFixture;
  /** The commit that everything is as. */
  readonly base: string;
  close(): Promise<void>;
}

export async function buildPlanFleet(
  apps: number,
  clusters: number,
  interpretations: Interpretations,
): Promise<PlanFleet> {
  const repository = new GitFixture();
  const base = repository.commit("Everything", repositoryFiles(apps));
  const plane = await openQuietPlane();
  const { client, create } = plane;
  await create(Array.from({ length: TEAMS }, (_, i) => namespace(`team-${i}`)));
  await create(Array.from({ length: clusters }, (_, i) => memberCluster(i)));
  await create(Array.from({ length: TEAMS }, (_, i) => teamPolicies(i)).flat());
  await create([gitRepository(repository.bare), ...Array.from({ length: apps }, (_, i) => appSync(i))]);
  await render(plane, repository, base);
  await plane.placeAll(interpretations);
  return {
    client,
    repository,
    base,
    close: async () => {
      await plane.close();
      repository.remove();
    },
  };
}

/** Stores what the repository renders to. */
async function render({ client, create }: QuietPlane, repository: GitFixture, commit: string): Promise<void> {
  const copy = openWorkingCopy(repository.work);
  const syncs = (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
  const { signal } = new AbortController();
  const { change } = await readRepositoryChange(client, syncs.map(presentSync), {
    trees: { head: copy.tree(copy.resolve(commit)), base: undefined, commit },
    changedPaths: undefined,
    isOurs: () => true,
    rendering: { remotes: undefined, signal, cache: new RenderCache() },
  });
  copy.close();
  await create(change.rendered.map(({ object }) => object));
}

function repositoryFiles(apps: number): Record<string, string> {
  const files: Record<string, string> = {
    "base/kustomization.yaml": "resources: [deployment.yaml, service.yaml, config.yaml]\n",
    "base/deployment.yaml": baseDeployment("250m"),
    "base/service.yaml":
      "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports: [{port: 80, targetPort: 8080}]\n",
    "base/config.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {level: info, region: any}\n",
  };
  for (let i = 0; i < apps; i++) files[appFile(i)] = appKustomization(i, "1.0");
  return files;
}

export function appFile(index: number): string {
  return `apps/app-${String(index).padStart(4, "0")}/kustomization.yaml`;
}

export function appKustomization(index: number, tag: string): string {
  return [
    `namespace: team-${index % TEAMS}`,
    `namePrefix: app-${index}-`,
    "resources: [../../base]",
    `labels: [{includeSelectors: true, pairs: {app: app-${index}}}]`,
    `images: [{name: registry.example/web, newTag: "${tag}"}]`,
    "",
  ].join("\n");
}

export function baseDeployment(cpu: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 200
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1.0
        ports: [{containerPort: 8080}]
        envFrom: [{configMapRef: {name: settings}}]
        resources: {requests: {cpu: ${cpu}, memory: 256Mi}}
`;
}

function namespace(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function memberCluster(index: number): ReturnType<typeof cluster> {
  const region = REGIONS[index % REGIONS.length] ?? "";
  const member = cluster({
    name: `member-${String(index).padStart(3, "0")}`,
    region,
    provider: PROVIDERS[index % PROVIDERS.length] ?? "",
  });
  return { ...member, spec: { ...member.spec, zone: `${region}-${index % 3}` } };
}

/** Deployments over all clusters, what they need along with them, Services everywhere; a registry for each region of Europe. */
function teamPolicies(team: number): object[] {
  const ns = `team-${team}`;
  return [
    policy({
      name: "web",
      namespace: ns,
      propagateDeps: true,
      placement: { replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } },
    }),
    policy({
      name: "services",
      namespace: ns,
      selects: [{ apiVersion: "v1", kind: "Service" }],
    }),
    overridePolicy({
      name: "registry",
      namespace: ns,
      selects: [{ apiVersion: "apps/v1", kind: "Deployment" }],
      rules: [
        {
          targetCluster: {
            fieldSelector: { matchExpressions: [{ key: "region", operator: "In", values: ["eu-west"] }] },
          },
          overriders: {
            imageOverrider: [{ component: "Registry", operator: "replace", value: "registry.eu.example" }],
          },
        },
      ],
    }),
  ];
}

function gitRepository(url: string): KubeObject {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "GitRepository",
    metadata: { name: "shop", namespace: "team-0" },
    spec: { url },
  };
}

function appSync(index: number): KubeObject {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: `app-${index}`, namespace: "team-0" },
    spec: {
      sourceRef: { kind: "GitRepository", name: "shop" },
      path: appFile(index).replace("/kustomization.yaml", ""),
    },
  };
}
