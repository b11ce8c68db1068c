// One policy changes among very many: what it costs, and how long the event loop is kept. The store is the embedded one
// with its file; the loops are those from policies to scheduled bindings. Arguments: policies (default 1000), templates (10000).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import type { KubeObject } from "../../kube/object.ts";
import { installDefinitions } from "../../reconciler/cli/install.ts";
import type { Controller, ControllerContext } from "../../reconciler/controllers/context.ts";
import { createContext } from "../../reconciler/controllers/context.ts";
import { Interpretation } from "../../reconciler/controllers/interpretation/interpretation.ts";
import { BindingWriter } from "../../reconciler/controllers/scheduling/binding-writer.ts";
import { startBindingController } from "../../reconciler/controllers/scheduling/bindings.ts";
import { FleetState } from "../../reconciler/controllers/scheduling/fleet-state.ts";
import { startPolicyController } from "../../reconciler/controllers/templates/policies.ts";
import { startPolicyAdvisor } from "../../reconciler/controllers/templates/policy-advisor.ts";
import { startPreemptionController } from "../../reconciler/controllers/templates/preemption.ts";
import { TemplateIndex } from "../../reconciler/controllers/templates/template-index.ts";
import { TemplateWatch } from "../../reconciler/controllers/templates/template-watch.ts";
import { startTemplateController, watchPolicies } from "../../reconciler/controllers/templates/templates.ts";
import { matchPolicy } from "../../reconciler/policies/match.ts";
import { ObjectIndex } from "../../reconciler/policies/object-index.ts";
import { PolicyIndex } from "../../reconciler/policies/policy-index.ts";
import { bestSelectorMatch } from "../../reconciler/policies/resource-selector.ts";
import type { AnyBinding } from "../../reconciler/works/binding.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import { cluster, clusterPolicy, policy } from "../builders.ts";
import { LoopDelay } from "./support-loop-delay.ts";

const CONFIG_MAPS = { apiVersion: "v1", kind: "ConfigMap" };
const PER_NAMESPACE = 100;
const LIMIT_MS = 3_600_000;
const BINDING_API = "work.karmada.io/v1alpha2";

export async function run(args: readonly string[]): Promise<void> {
  const policies = Number(args[0] ?? 1_000);
  const templates = Number(args[1] ?? 10_000);
  measureIndexes(10 * policies, 10 * templates);
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const server = await createApiServer({
    name: "bench",
    database: join(folder, "store.db"),
    clock: systemClock,
    logger: silentLogger,
    apiServices: false,
  });
  const people = new KubeClient(server.handle);
  await installDefinitions(people, systemClock);
  for (const name of ["a", "b", "c"]) {
    const words = cluster({ name });
    const made = await people.create(words);
    await people.update({ ...made, status: words.status }, { subresource: "status" });
  }
  const namespaces = Math.ceil(templates / PER_NAMESPACE);
  await mapLimit(
    Array.from({ length: namespaces }, (_, number) => `n${number}`),
    8,
    (name) => people.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  );
  /** Policy `number` selects by a label what is in its namespace; the policies of a namespace share its templates. */
  const perNamespace = Math.ceil(policies / namespaces);
  const namespaceOf = (number: number): string => `n${number % namespaces}`;
  const groupOf = (number: number): string => `g${Math.floor(number / namespaces)}`;
  await inTurns(policies, async (number) => {
    await people.create(groupPolicy(`p${number}`, namespaceOf(number), groupOf(number)));
  });

  let writes = 0;
  const counting: Transport = (request) => {
    if (request.method !== "GET" && !request.path.includes("/events")) writes++;
    return server.handle(request);
  };
  // The timers of loops alone keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  const delay = new LoopDelay();
  delay.start();
  const { context, controllers, watch, index } = await startLoops(counting);
  const bindings = context.informers.of<AnyBinding>(BINDING_API, "ResourceBinding");

  const report = async (what: string, change: () => Promise<void>, isDone: () => boolean): Promise<void> => {
    await quiet(controllers);
    const before = versionsOf(bindings.all());
    writes = 0;
    delay.take();
    const began = performance.now();
    await change();
    while (!isDone()) {
      if (performance.now() - began > LIMIT_MS) throw new Error(`${what}: not done within ${LIMIT_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const ms = performance.now() - began;
    await quiet(controllers);
    const { cpuMaxMs } = delay.take();
    const written = [...bindings.all()].filter(
      ({ metadata }) => before.get(metadata.uid ?? "") !== metadata.resourceVersion,
    );
    process.stdout.write(
      `${what.padEnd(58)} ${ms.toFixed(1).padStart(9)} ms  ${String(writes).padStart(7)} writes  ${String(written.length).padStart(7)} bindings written  longest turn ${cpuMaxMs.toFixed(0)} ms\n`,
    );
  };

  await report(
    `${templates} templates come, for ${policies} policies`,
    () =>
      inTurns(templates, async (number) => {
        await people.create(
          template(`t${number}`, namespaceOf(number), `g${Math.floor(number / namespaces) % perNamespace}`),
        );
      }),
    () => bindings.size === templates,
  );
  const bound = Math.round(templates / (namespaces * perNamespace));
  await report(
    `one policy changes, which has ${bound} templates`,
    async () =>
      void (await people.update({ ...(await stored(people, "p0", "n0")), ...placedOn("p0", "n0", "g0", ["a"]) })),
    () => countOn(bindings.all(), "p0", 1) >= bound,
  );
  await report(
    "a policy changes nothing but its priority",
    async () => void (await people.patch(refTo("p1", namespaceOf(1)), { spec: { priority: 3 } }, "merge")),
    () => true,
  );
  const waiting = Math.floor(templates / 10);
  await report(
    `${waiting} templates come that no policy selects`,
    () =>
      inTurns(waiting, async (number) => {
        await people.create(template(`w${number}`, namespaceOf(number), `w${number % 100}`));
      }),
    () => index.unclaimed.size >= waiting,
  );
  await report(
    `a policy comes for ${Math.ceil(waiting / 100)} of them`,
    async () =>
      void (await people.create(
        clusterPolicy({ name: "some", selects: [{ ...CONFIG_MAPS, labelSelector: { matchLabels: { group: "w7" } } }] }),
      )),
    () => bindings.size >= templates + Math.floor(waiting / 100),
  );
  await report(
    "a policy comes for all of them",
    async () =>
      void (await people.create(
        clusterPolicy({
          name: "rest",
          selects: [{ ...CONFIG_MAPS, labelSelector: { matchExpressions: [{ key: "group", operator: "Exists" }] } }],
        }),
      )),
    () => bindings.size >= templates + waiting,
  );
  await report(
    "that policy goes: all of them are released",
    async () =>
      void (await people.delete({
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterPropagationPolicy",
        name: "rest",
      })),
    () => index.unclaimed.size >= waiting - Math.ceil(waiting / 100),
  );
  for (const controller of controllers) await controller.stop();
  watch.stop();
  await context.informers.stop();
  await server.close();
  clearInterval(alive);
}

/** What the decisions alone cost, at ten times the size: finding, ranking, and what it would be to look at everything. */
function measureIndexes(policies: number, templates: number): void {
  const namespaces = Math.ceil(templates / PER_NAMESPACE);
  const perNamespace = Math.ceil(policies / namespaces);
  const objects = Array.from({ length: templates }, (_, number) =>
    template(`t${number}`, `n${number % namespaces}`, `g${Math.floor(number / namespaces) % perNamespace}`),
  );
  const all = Array.from({ length: policies }, (_, number) =>
    policy({
      name: `p${number}`,
      namespace: `n${number % namespaces}`,
      selects: [{ ...CONFIG_MAPS, labelSelector: { matchLabels: { group: `g${Math.floor(number / namespaces)}` } } }],
    }),
  );
  const objectIndex = new ObjectIndex();
  const policyIndex = new PolicyIndex();
  const each = (what: string, count: number, work: () => void): void => {
    const began = performance.now();
    work();
    const ms = performance.now() - began;
    const one = (1_000 * ms) / count;
    process.stdout.write(
      `${what.padEnd(58)} ${one.toFixed(1).padStart(9)} us each, ${ms.toFixed(0)} ms for ${count}\n`,
    );
  };
  process.stdout.write(`decisions alone, ${policies} policies and ${templates} templates\n`);
  each("a template is taken into the index", templates, () => {
    for (const object of objects) objectIndex.set(object);
  });
  each("a policy is taken into the index", policies, () => {
    for (const one of all) policyIndex.set(one);
  });
  let found = 0;
  each("the templates of a policy are found", policies, () => {
    for (const one of all) found += [...objectIndex.selectedBy(one)].length;
  });
  let matched = 0;
  each("the policy of a template is found", templates, () => {
    for (const object of objects) if (matchPolicy(object, policyIndex).policy !== undefined) matched++;
  });
  each("the templates of a policy, by looking at every template", 10, () => {
    for (const one of all.slice(0, 10))
      for (const object of objects)
        if (
          object.metadata.namespace === one.metadata.namespace &&
          bestSelectorMatch(object, one.spec.resourceSelectors) > 0
        )
          found++;
  });
  process.stdout.write(
    `(${found} found, ${matched} matched)\nthe loops, ${policies / 10} policies and ${templates / 10} templates\n`,
  );
}

async function startLoops(transport: Transport): Promise<{
  readonly context: ControllerContext;
  readonly controllers: readonly Controller[];
  readonly watch: TemplateWatch;
  readonly index: TemplateIndex;
}> {
  const context = createContext({
    client: new KubeClient(transport),
    clock: systemClock,
    logger: silentLogger,
    newUuid: () => crypto.randomUUID(),
  });
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) context.informers.of(BINDING_API, kind);
  for (const kind of ["PropagationPolicy", "ClusterPropagationPolicy", "OverridePolicy", "ClusterOverridePolicy"])
    context.informers.of("policy.karmada.io/v1alpha1", kind);
  context.informers.of("scheduling.k8s.io/v1", "PriorityClass");
  await context.informers.synced();
  const watch = new TemplateWatch(context);
  const fleet = new FleetState(context);
  const writer = new BindingWriter(context, fleet);
  const policies = watchPolicies(context);
  const index = new TemplateIndex(watch);
  const interpretation = new Interpretation({ compatibility: "karmada" });
  const templates = startTemplateController({ context, templates: watch, policies, interpretation, writer });
  const preemption = startPreemptionController(context, watch, policies);
  const advisor = startPolicyAdvisor(context, watch, index, policies);
  const controllers = [
    templates,
    preemption,
    advisor,
    startPolicyController({ context, index, templates, preemption, advisor }),
    startBindingController(context, fleet, writer),
  ];
  await watch.start();
  await watch.synced();
  return { context, controllers, watch, index };
}

/** A while in which nothing is written: all loops have come to rest. */
async function quiet(_controllers: readonly Controller[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3_000));
}

async function inTurns(count: number, make: (number: number) => Promise<void>): Promise<void> {
  await mapLimit(
    Array.from({ length: count }, (_, number) => number),
    16,
    async (number) => {
      await make(number);
      if (number % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    },
  );
}

function versionsOf(objects: Iterable<KubeObject>): Map<string, string | undefined> {
  return new Map([...objects].map(({ metadata }) => [metadata.uid ?? "", metadata.resourceVersion]));
}

function countOn(bindings: Iterable<AnyBinding>, policyName: string, clusters: number): number {
  return [...bindings].filter(
    ({ metadata, spec }) =>
      metadata.annotations?.["propagationpolicy.karmada.io/name"] === policyName && spec.clusters?.length === clusters,
  ).length;
}

function template(name: string, namespace: string, group: string): KubeObject {
  return { ...CONFIG_MAPS, metadata: { name, namespace, labels: { app: name, group } }, data: { key: "value" } };
}

function groupPolicy(name: string, namespace: string, group: string): KubeObject {
  const labelSelector = { matchLabels: { group } };
  return policy({ name, namespace, selects: [{ ...CONFIG_MAPS, labelSelector }] });
}

function placedOn(name: string, namespace: string, group: string, clusters: string[]): { readonly spec: unknown } {
  const labelSelector = { matchLabels: { group } };
  return { spec: policy({ name, namespace, clusters, selects: [{ ...CONFIG_MAPS, labelSelector }] }).spec };
}

function refTo(name: string, namespace: string) {
  return { apiVersion: "policy.karmada.io/v1alpha1", kind: "PropagationPolicy", namespace, name };
}

function stored(client: KubeClient, name: string, namespace: string): Promise<KubeObject> {
  return client.get(refTo(name, namespace));
}
