// The whole river over a world: match, schedule, override. What the loops would come to, without a write.
import type { Cluster } from "../../api/cluster.ts";
import type { BindingSnapshot } from "../../api/work.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { messageOf } from "../../runtime/errors.ts";
import { completeSteps, runSteps, type Steps } from "../../runtime/steps.ts";
import type { Turn } from "../../runtime/turn.ts";
import { isUnanswered, letPendingPass, PendingQuestions } from "../interpreter/answers.ts";
import type { Dependency, Interpreter } from "../interpreter/interpreter.ts";
import { changeMetadata, readClaim, releaseMarks } from "../policies/claim.ts";
import { decideTemplate } from "../policies/decide-template.ts";
import type { Candidate } from "../policies/match.ts";
import { matchPolicy } from "../policies/match.ts";
import { type Policy, PolicyIndex } from "../policies/policy-index.ts";
import { decideScheduling, type SchedulingDecision } from "../scheduler/decide-scheduling.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import { type AnyBinding, buildBinding, mergeBinding } from "../works/binding.ts";
import { bindingName } from "../works/naming.ts";
import { DEFAULT_METADATA_STRIPPING } from "../works/tracking-metadata.ts";
import { buildCopies } from "../works/work.ts";
import type { Copy } from "./copy.ts";
import { withDefinedKinds } from "./definitions.ts";
import { isNamespace, namespaceCopies } from "./namespaces.ts";
import { NeededObjects, withSnapshots } from "./needed-objects.ts";
import { overridePoliciesOf, type World } from "./world.ts";

/** Where one template goes, and why. */
export interface Outcome {
  readonly ref: ObjectRef;
  readonly template: KubeObject;
  readonly policy: Policy | undefined;
  /** The policy that will have the object once what `problems` names has come. */
  readonly waiting?: Policy | undefined;
  readonly candidates: readonly Candidate[];
  readonly binding: AnyBinding | undefined;
  readonly decision: SchedulingDecision | undefined;
  readonly copies: readonly Copy[];
  /** Why the object, or its copy in some cluster, is not as it should be. */
  readonly problems: readonly string[];
  /** What decides about the object and was not asked, so that nothing is known of its copies; absent when all is known. */
  readonly unknown?: string;
}

export interface RiverOptions {
  readonly interpreter: Interpreter;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How the control plane works; `flaghoist` by default. */
  readonly compatibility?: "karmada" | "flaghoist" | undefined;
  /** Collect the scheduler's full trace. */
  readonly explain?: boolean;
}

const NO_ID = "00000000-0000-4000-8000-000000000000";

/**
 * Runs every template through the river. Bindings that exist are taken up, so what is placed stays where it can. Throws
 * `AnswerPending` with all that the interpreter has to ask for the templates.
 */
export function runRiver(world: World, options: RiverOptions): ReadonlyMap<string, Outcome> {
  return completeSteps(river(world, options, undefined));
}

/** As `runRiver`, resting now and then, for worlds that are large. */
export async function runRiverInTurns(
  world: World,
  options: RiverOptions,
  turn: Turn,
): Promise<ReadonlyMap<string, Outcome>> {
  return runSteps(river(world, options, turn));
}

/** Without a turn it never rests. */
function* river(world: World, options: RiverOptions, turn: Turn | undefined): Steps<ReadonlyMap<string, Outcome>> {
  const policies = new PolicyIndex(world.policies);
  const outcomes = new Map<string, Outcome>();
  const pending = new PendingQuestions();
  const isDefinition = (object: KubeObject): boolean => object.kind === "CustomResourceDefinition";
  function* placeAll(templates: readonly KubeObject[], clusters: readonly Cluster[]): Steps<void> {
    const fleet = new FleetIndex(clusters);
    for (const template of templates) {
      if (turn?.isOver === true) yield turn.next();
      try {
        outcomes.set(refKey(refOf(template)), place(world, policies, fleet, template, options));
      } catch (error) {
        if (!pending.take(error)) throw error;
      }
    }
  }
  // A cluster serves a kind once it has the definition, so definitions go first.
  yield* placeAll(world.templates.filter(isDefinition), world.clusters);
  const serving = withDefinedKinds(
    world.clusters,
    [...outcomes.values()].flatMap((outcome) => outcome.copies),
  );
  yield* placeAll(
    world.templates.filter((template) => !isDefinition(template)),
    serving,
  );
  pending.throwIfAny();
  yield* followDependencies(world, outcomes, options, turn);
  return outcomes;
}

function place(
  world: World,
  policies: PolicyIndex,
  fleet: FleetIndex,
  template: KubeObject,
  options: RiverOptions,
): Outcome {
  const ref = refOf(template);
  const { candidates } = matchPolicy(template, policies);
  const none = { ref, template, candidates, binding: undefined, decision: undefined, copies: [] };
  if (isNamespace(template)) return { ...none, policy: undefined, ...namespaceCopies(world, template, options) };
  const chosen = choosePolicy(world, policies, template);
  const { policy } = chosen;
  const existing = findBinding(world, template);
  const problems = chosen.problem === undefined ? [] : [chosen.problem];
  try {
    if (policy === undefined)
      return { ...none, policy, waiting: chosen.waiting, ...keepPlaced(world, template, existing, options, problems) };
    if (existing !== undefined && isLazy(policy) && world.previous?.has(refKey(ref)) !== true)
      return { ...none, policy, ...keepPlaced(world, template, existing, options, []) };
    const metadata = chosen.metadata ?? template.metadata;
    const desired = buildBinding({
      template: { ...template, metadata },
      policy,
      interpreter: options.interpreter,
      id: NO_ID,
      priorityOf: (name) => world.priorityClasses.get(name),
    });
    const known = existing === undefined ? undefined : withoutReferrers(existing, world);
    const merged = withGeneration(known === undefined ? desired : mergeBinding(known, desired, policy), known);
    const decision = decideScheduling(merged, fleet, options.now, {
      keepOrder: true,
      ...(options.explain === true ? { explain: true } : {}),
    });
    // The same kind with other clusters.
    const binding = (
      decision.clusters === undefined
        ? merged
        : { ...merged, spec: { ...merged.spec, clusters: [...decision.clusters] } }
    ) as AnyBinding;
    const failures = decision.verdict === "failed" ? [decision.reason] : [];
    return { ...none, policy, binding, decision, ...copiesOf(world, template, binding, options, failures) };
  } catch (error) {
    letPendingPass(error);
    if (isUnanswered(error)) return { ...none, policy, problems: [], unknown: messageOf(error) };
    return { ...none, policy, problems: [messageOf(error)] };
  }
}

/** A change of the policy alone rests until the template changes. */
function isLazy(policy: Policy): boolean {
  return policy.spec.activationPreference === "Lazy";
}

/**
 * What no policy has (any more) stays as it was placed, and an edit of it rests. Copies that only followed others are
 * left out: they are worked out anew from those.
 */
function keepPlaced(
  world: World,
  template: KubeObject,
  existing: AnyBinding | undefined,
  options: RiverOptions,
  problems: readonly string[],
): Pick<Outcome, "binding" | "copies" | "problems" | "unknown"> {
  if (existing === undefined) return { binding: undefined, copies: [], problems };
  const binding = withoutReferrers(existing, world);
  // What follows others that are not in this world goes on to follow them, as it is now.
  const follows = (binding.spec.requiredBy ?? []).length > 0;
  const asApplied = follows ? template : (world.previous?.get(refKey(refOf(template))) ?? template);
  return { binding, ...copiesOf(world, asApplied, binding, options, problems) };
}

/** Without those referrers whose needs are worked out anew. */
function withoutReferrers(binding: AnyBinding, world: World): AnyBinding {
  const { requiredBy, ...spec } = binding.spec;
  if (requiredBy === undefined) return binding;
  const here = world.partial === true ? referrersIn(world) : undefined;
  const others =
    here === undefined ? [] : requiredBy.filter(({ namespace, name }) => !here.has(`${namespace}/${name}`));
  if (others.length === requiredBy.length) return binding;
  // The same kind with other referrers.
  return { ...binding, spec: others.length === 0 ? spec : { ...spec, requiredBy: others } } as AnyBinding;
}

const REFERRERS = new WeakMap<World, ReadonlySet<string>>();

/** Names of the bindings that templates of this world have, or had until a change took them away. */
function referrersIn(world: World): ReadonlySet<string> {
  let names = REFERRERS.get(world);
  if (names === undefined) {
    names = new Set(
      [...world.templates.map(refOf), ...(world.removed ?? [])].map(
        ({ kind, namespace = "", name }) => `${namespace}/${bindingName(kind, name)}`,
      ),
    );
    REFERRERS.set(world, names);
  }
  return names;
}

// A binding whose spec differs from the stored one will have another generation: scheduling looks at that.
function withGeneration(merged: AnyBinding, existing: AnyBinding | undefined): AnyBinding {
  return {
    ...merged,
    metadata: { ...merged.metadata, generation: (existing?.metadata.generation ?? 0) + 1 },
  } as AnyBinding;
}

function choosePolicy(
  world: World,
  policies: PolicyIndex,
  template: KubeObject,
): { policy?: Policy; waiting?: Policy; metadata?: KubeObject["metadata"]; problem?: string } {
  const overrideExists = (namespace: string, name: string): boolean =>
    namespace === ""
      ? world.clusterOverridePolicies.some((policy) => policy.metadata.name === name)
      : world.overridePolicies.some(
          (policy) => policy.metadata.name === name && policy.metadata.namespace === namespace,
        );
  let subject = template;
  // A claim by a policy that is gone, or no longer selects the object, is released before the choice is made anew.
  for (let round = 0; round < 2; round++) {
    const decision = decideTemplate(subject, { policies, overrideExists, changedByUs: false });
    switch (decision.action) {
      case "apply":
        return {
          policy: decision.policy,
          metadata: decision.claim === undefined ? subject.metadata : changeMetadata(subject.metadata, decision.claim),
        };
      case "release":
        subject = { ...subject, metadata: changeMetadata(subject.metadata, decision.change) };
        break;
      case "wait":
        return {};
      case "stop": {
        // A policy that has just changed lets go of what it no longer selects.
        const claim = readClaim(subject.metadata);
        if (claim === undefined || world.changed?.has(`${claim.namespace}/${claim.name}`) !== true)
          return { problem: decision.reason };
        subject = { ...subject, metadata: changeMetadata(subject.metadata, releaseMarks(claim.kind)) };
        break;
      }
      case "retry":
        return { problem: decision.reason, waiting: decision.policy };
    }
  }
  return {};
}

const BINDINGS = new WeakMap<World, ReadonlyMap<string, readonly AnyBinding[]>>();

/** The binding of a template that the world holds. */
export function findBinding(world: World, template: KubeObject): AnyBinding | undefined {
  let index = BINDINGS.get(world);
  if (index === undefined) {
    index = Map.groupBy(world.bindings, ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
    BINDINGS.set(world, index);
  }
  const name = bindingName(template.kind, template.metadata.name ?? "");
  return index.get(`${template.metadata.namespace ?? ""}/${name}`)?.find(
    ({ spec: { resource } }) =>
      resource.kind === template.kind &&
      // Bindings of what follows others name no UID.
      (resource.uid ?? template.metadata.uid) === template.metadata.uid,
  );
}

/** The copies that a binding's clusters are to have; problems of single clusters are added to `problems`. */
export function copiesOf(
  world: World,
  template: KubeObject,
  binding: AnyBinding,
  options: RiverOptions,
  problems: readonly string[],
): Pick<Outcome, "copies" | "problems" | "unknown"> {
  const plan = buildCopies({
    binding,
    template,
    interpreter: options.interpreter,
    clusterOf: (name) => clustersOf(world).get(name),
    overridePolicies: overridePoliciesOf(world),
    compatibility: options.compatibility ?? "flaghoist",
    stripping: DEFAULT_METADATA_STRIPPING,
  });
  const targets = new Map((binding.spec.clusters ?? []).map((target) => [target.name, target.replicas]));
  const copies = plan.copies.map(
    ({ cluster, manifest, overrides }): Copy => ({ cluster, manifest, replicas: targets.get(cluster), overrides }),
  );
  const unknown = plan.failures.find(({ error }) => isUnanswered(error));
  if (unknown !== undefined) return { copies: [], problems, unknown: unknown.error.message };
  return {
    copies,
    problems: [...problems, ...plan.failures.map(({ cluster, error }) => `cluster ${cluster}: ${error.message}`)],
  };
}

const CLUSTERS = new WeakMap<World, ReadonlyMap<string, Cluster>>();

function clustersOf(world: World): ReadonlyMap<string, Cluster> {
  let index = CLUSTERS.get(world);
  if (index === undefined) {
    index = new Map(world.clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
    CLUSTERS.set(world, index);
  }
  return index;
}

/** Objects that others need go where those go. */
function* followDependencies(
  world: World,
  outcomes: Map<string, Outcome>,
  options: RiverOptions,
  turn: Turn | undefined,
): Steps<void> {
  const { interpreter } = options;
  const pending = new PendingQuestions();
  const needed = new NeededObjects(outcomes.values());
  /** Who needs each object, by its key. */
  const attached = new Map<string, BindingSnapshot[]>();
  for (const referrer of [...outcomes.values()]) {
    if (turn?.isOver === true) yield turn.next();
    const { binding, template } = referrer;
    if (
      binding?.spec.propagateDeps !== true ||
      !interpreter.hookEnabled({ ...groupVersion(template), kind: template.kind }, "InterpretDependency")
    )
      continue;
    let dependencies: readonly Dependency[] = [];
    try {
      dependencies = interpreter.getDependencies(template);
    } catch (error) {
      if (pending.take(error)) continue;
      if (isUnanswered(error)) markUnknown(world, outcomes, referrer, messageOf(error));
      else addProblem(outcomes, referrer, messageOf(error));
    }
    const snapshot = {
      namespace: template.metadata.namespace ?? "",
      name: binding.metadata.name ?? "",
      clusters: binding.spec.clusters ?? [],
    };
    for (const key of needed.by(dependencies)) {
      const snapshots = attached.get(key);
      if (snapshots === undefined) attached.set(key, [snapshot]);
      else snapshots.push(snapshot);
    }
  }
  pending.throwIfAny();
  for (const [key, snapshots] of attached) {
    if (turn?.isOver === true) yield turn.next();
    const outcome = outcomes.get(key);
    if (outcome === undefined) continue;
    const base = outcome.binding ?? attachedBinding(outcome.template);
    const requiredBy = withSnapshots(base.spec.requiredBy ?? [], snapshots);
    const binding = { ...base, spec: { ...base.spec, requiredBy } } as AnyBinding;
    const problems = outcome.policy === undefined ? [] : outcome.problems;
    try {
      outcomes.set(key, { ...outcome, binding, ...copiesOf(world, outcome.template, binding, options, problems) });
    } catch (error) {
      if (!pending.take(error)) throw error;
    }
  }
  pending.throwIfAny();
}

/** What follows the referrer by now may, or may not, do so from now on. */
function markUnknown(world: World, outcomes: Map<string, Outcome>, referrer: Outcome, unknown: string): void {
  const name = referrer.binding?.metadata.name;
  const { namespace } = referrer.template.metadata;
  outcomes.set(refKey(referrer.ref), { ...referrer, unknown });
  for (const [key, outcome] of outcomes) {
    const { requiredBy = [] } = findBinding(world, outcome.template)?.spec ?? {};
    if (requiredBy.some((snapshot) => snapshot.name === name && snapshot.namespace === namespace))
      outcomes.set(key, { ...outcome, unknown });
  }
}

function addProblem(outcomes: Map<string, Outcome>, referrer: Outcome, problem: string): void {
  outcomes.set(refKey(referrer.ref), { ...referrer, problems: [...referrer.problems, problem] });
}

function attachedBinding(object: KubeObject): AnyBinding {
  const { name = "", namespace = "" } = object.metadata;
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: bindingName(object.kind, name), namespace },
    spec: { resource: { apiVersion: object.apiVersion, kind: object.kind, namespace, name } },
  };
}

function groupVersion(object: KubeObject): { group: string; version: string } {
  const [first = "", second] = object.apiVersion.split("/");
  return second === undefined ? { group: "", version: first } : { group: first, version: second };
}
