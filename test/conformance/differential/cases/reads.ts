// Lists, selectors, watches and deletions.
import type { Json, JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";
import { type DifferentialCase, type DifferentialStep, patch, send } from "../differential-case.ts";

const MAPS = "/api/v1/namespaces/{ns}/configmaps";
const WIDGETS = "/apis/vec.example.io/v1/namespaces/{ns}/widgets";
const PODS = "/api/v1/namespaces/{ns}/pods";

function labelled(random: Random): JsonObject {
  const labels: JsonObject = {};
  if (random.chance(0.7)) labels["env"] = random.pick(["prod", "dev", ""]);
  if (random.chance(0.5)) labels["tier"] = random.pick(["web", "db"]);
  if (random.chance(0.3)) labels["n"] = random.pick(["1", "5", "x"]);
  if (random.chance(0.3)) labels["x.io/y"] = random.pick(["z", "1"]);
  return labels;
}

function bodyOf(path: string, name: string, labels: JsonObject): JsonObject {
  const metadata = { name, labels };
  if (path === MAPS) return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { k: name } };
  if (path === PODS)
    return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "c", image: "i" }] } };
  return { apiVersion: "vec.example.io/v1", kind: "Widget", metadata, spec: { title: name } };
}

function filled(random: Random, path: string, count: number): DifferentialStep[] {
  return Array.from({ length: count }, (_, at) => ({
    ...send("POST", path, bodyOf(path, `${"abcdefgh".charAt(at)}${at}`, labelled(random))),
    silent: true,
    ...(at === 1 ? { save: { past: "/metadata/resourceVersion" } } : {}),
  }));
}

function labelSelector(random: Random): string {
  const part = (): string =>
    random.pick([
      "env=prod",
      "env==dev",
      "env!=prod",
      "!env",
      "env",
      "env in (prod,dev)",
      "env notin (prod)",
      "tier in (db)",
      "n>0",
      "n<3",
      "n>=1",
      "x.io/y",
      "x.io/y=z",
      "env=",
      "env in ()",
      "env in (prod, )",
      " tier = web ",
      "!x.io/y",
      "tier notin (web,db)",
      "n>x",
      "env in prod",
      "a b",
      "env=prod tier=web",
      "=",
      "env!",
      "-a",
      "a/b/c",
      "env=a=b",
      "env in (a",
      "UPPER=1",
      "e_n.v=1",
      "env=..",
      "x=y/z",
      "(a)",
      "env,",
      ",env",
      "!",
      "env=!",
      "in",
      "in in (in)",
      "notin",
      "env=%00",
      "é=1",
    ]);
  return Array.from({ length: 1 + random.below(2) }, part).join(",");
}

function fieldSelector(random: Random): string {
  return random.pick([
    "metadata.name=a0",
    "metadata.name!=a0",
    "metadata.name==b1",
    "metadata.namespace={ns}",
    "metadata.namespace!={ns}",
    "metadata.name=a0,metadata.namespace={ns}",
    "status.phase=Pending",
    "spec.nodeName=",
    "spec.restartPolicy!=Always",
    "spec.title=a0",
    "foo=bar",
    "metadata.labels=x",
    "metadata.name",
    "=",
    "a=b=c",
    "metadata.name=a\\,b",
    "metadata.name=a\\x",
    ",",
    "metadata.name=a0,",
    "metadata.uid=1",
    "status.podIP=",
    "spec.schedulerName=default-scheduler",
  ]);
}

export function selections(random: Random): DifferentialCase {
  const path = random.pick([MAPS, WIDGETS, PODS]);
  const steps = filled(random, path, 3 + random.below(3));
  for (let at = 0; at < 4; at++) {
    const parts: string[] = [];
    if (random.chance(0.7)) parts.push(`labelSelector=${encodeURIComponent(labelSelector(random))}`);
    if (random.chance(0.4))
      parts.push(`fieldSelector=${encodeURIComponent(fieldSelector(random)).replaceAll("%7Bns%7D", "{ns}")}`);
    if (random.chance(0.2)) parts.push("limit=1");
    const accept = random.chance(0.3)
      ? { Accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" }
      : undefined;
    steps.push(send("GET", `${path}?${parts.join("&")}`, undefined, accept));
  }
  return { steps };
}

function listQuery(random: Random): string {
  const parts: string[] = [];
  if (random.chance(0.6)) parts.push(`limit=${random.pick(["1", "2", "3", "0", "-1", "x", "1000"])}`);
  if (random.chance(0.4))
    parts.push(`resourceVersion=${random.pick(["0", "{save:past}", "x", "-1", "", "{save:rv}"])}`);
  if (random.chance(0.35)) parts.push(`resourceVersionMatch=${random.pick(["Exact", "NotOlderThan", "X", ""])}`);
  if (random.chance(0.3))
    parts.push(
      `continue=${random.pick(["{save:cont}", "{save:cont}", "x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0"])}`,
    );
  if (random.chance(0.15)) parts.push(`labelSelector=${random.pick(["env%3Dprod", "env"])}`);
  if (random.chance(0.1))
    parts.push(
      random.pick([
        "sendInitialEvents=true",
        "allowWatchBookmarks=true",
        "timeoutSeconds=5",
        "timeoutSeconds=x",
        "pretty=1",
        "watch=0",
      ]),
    );
  return parts.join("&");
}

export function lists(random: Random): DifferentialCase {
  const path = random.pick([MAPS, WIDGETS]);
  const steps = filled(random, path, 4 + random.below(3));
  const saved = { cont: "/metadata/continue", rv: "/metadata/resourceVersion" };
  steps.push({ ...send("GET", `${path}?limit=2`), save: saved });
  for (let at = 0; at < 5; at++) {
    if (random.chance(0.3)) steps.push({ ...send("POST", path, bodyOf(path, `n${at}`, {})), silent: true });
    if (random.chance(0.2)) steps.push({ ...send("DELETE", `${path}/b1`), silent: true });
    const table = random.chance(0.2) ? { Accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } : undefined;
    steps.push({ ...send("GET", `${path}?${listQuery(random)}`, undefined, table), save: saved });
  }
  return { steps };
}

export function watches(random: Random): DifferentialCase {
  const path = random.pick([MAPS, WIDGETS, PODS]);
  const steps = filled(random, path, 2 + random.below(2));
  const parts = ["watch=true"];
  if (random.chance(0.6)) parts.push(`resourceVersion=${random.pick(["0", "{save:past}", "{save:past}", "", "x"])}`);
  if (random.chance(0.4))
    parts.push(`labelSelector=${encodeURIComponent(random.pick(["env=prod", "env", "!env", "tier in (web)"]))}`);
  if (random.chance(0.2))
    parts.push(`fieldSelector=${random.pick(["metadata.name%3Da0", "metadata.name!%3Da0", "status.phase%3DPending"])}`);
  if (random.chance(0.3)) parts.push("allowWatchBookmarks=true");
  if (random.chance(0.25)) parts.push("sendInitialEvents=true");
  if (random.chance(0.25)) parts.push("resourceVersionMatch=NotOlderThan");
  const accept = random.pick<Record<string, string> | undefined>([
    undefined,
    undefined,
    { Accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    { Accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" },
  ]);
  steps.push({ ...send("GET", `${path}?${parts.join("&")}`, undefined, accept), op: "watch", id: "w" });
  for (let at = 0; at < 5; at++) {
    const name = random.pick(["a0", "b1", "n1"]);
    const action = random.below(4);
    if (action === 0) steps.push({ ...send("POST", path, bodyOf(path, "n1", labelled(random))), silent: true });
    else if (action === 1) steps.push({ ...send("DELETE", `${path}/${name}`), silent: true });
    else {
      const labels: Json = random.chance(0.5)
        ? { env: random.pick<Json>(["prod", "dev", null]) }
        : { tier: random.pick<Json>(["web", null]), t: `${at}` };
      const finalizers: JsonObject = random.chance(0.1) ? { finalizers: random.pick<Json>([["x.io/f"], null]) } : {};
      steps.push({ ...patch("merge", `${path}/${name}`, { metadata: { labels, ...finalizers } }), silent: true });
    }
  }
  return { steps: [...steps, { op: "collect", id: "w" }] };
}

export function deletions(random: Random): DifferentialCase {
  const path = random.pick([MAPS, WIDGETS, PODS, "/apis/apps/v1/namespaces/{ns}/deployments"]);
  const isDeployment = path.includes("deployments");
  const body: JsonObject = isDeployment
    ? {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "a0" },
        spec: {
          selector: { matchLabels: { a: "b" } },
          template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
        },
      }
    : bodyOf(path, "a0", labelled(random));
  if (path === PODS && random.chance(0.5)) (body["spec"] as JsonObject)["nodeName"] = "n1";
  if (random.chance(0.5)) (body["metadata"] as JsonObject)["finalizers"] = random.some(["x.io/f", "x.io/g"], 1);
  const steps: DifferentialStep[] = [
    { ...send("POST", path, body), save: { uid: "/metadata/uid", rv: "/metadata/resourceVersion" } },
  ];
  for (let at = 0; at < 3; at++) {
    const action = random.next();
    if (action < 0.6)
      steps.push(
        send("DELETE", `${path}${random.chance(0.85) ? "/a0" : ""}${deleteQuery(random)}`, deleteOptions(random)),
      );
    else if (action < 0.8)
      steps.push(
        patch("merge", `${path}/a0`, {
          metadata: { finalizers: random.pick<Json>([null, ["x.io/f"], ["x.io/new"]]), labels: { q: `${at}` } },
        }),
      );
    else if (action < 0.9) steps.push(send("POST", path, body));
    else steps.push(send("GET", `${path}/a0`));
  }
  return { steps: [...steps, send("GET", `${path}/a0`)] };
}

function deleteQuery(random: Random): string {
  return random.pick([
    "",
    "",
    "",
    "?dryRun=All",
    "?gracePeriodSeconds=0",
    "?gracePeriodSeconds=5",
    "?propagationPolicy=Foreground",
    "?propagationPolicy=Orphan",
    "?propagationPolicy=X",
    "?orphanDependents=true",
    "?gracePeriodSeconds=x",
    "?gracePeriodSeconds=-1",
    "?labelSelector=env",
    "?dryRun=x",
    "?ignoreStoreReadErrorWithClusterBreakingPotential=true",
  ]);
}

function deleteOptions(random: Random): unknown {
  if (random.chance(0.4)) return undefined;
  return random.pick<unknown>([
    {},
    { apiVersion: "v1", kind: "DeleteOptions" },
    { apiVersion: "meta.k8s.io/v1", kind: "DeleteOptions", gracePeriodSeconds: 0 },
    { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 7 },
    { gracePeriodSeconds: -5 },
    { propagationPolicy: "Foreground" },
    { propagationPolicy: "Orphan" },
    { propagationPolicy: "Background", orphanDependents: true },
    { orphanDependents: false },
    { propagationPolicy: "" },
    { preconditions: { uid: "{save:uid}" } },
    { preconditions: { uid: "0" } },
    { preconditions: { resourceVersion: "{save:rv}" } },
    { preconditions: { resourceVersion: "1" } },
    { preconditions: { uid: "{save:uid}", resourceVersion: "1" } },
    { dryRun: ["All"] },
    { dryRun: ["x"] },
    { unknown: 1 },
    { gracePeriodSeconds: "x" },
    "{",
    "[]",
    { apiVersion: "v1", kind: "Pod" },
  ]);
}
