// Knative: all of its kinds say themselves when they are ready, and of which generation.

import type { KubeObject } from "../../../kube/object.ts";
import { type Fields, fieldsAt } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { type AgreementRule, aggregatingAgreement, namedFields } from "./rules/agreement.ts";
import { objectsAtPath, textAtPath } from "./rules/field-paths.ts";
import { isCurrentWith } from "./rules/kstatus.ts";
import { dependenciesOfTemplate } from "./rules/pod-templates.ts";
import { References } from "./rules/references.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const SERVING = "serving.knative.dev/v1";

/** The same object has the same URL in every cluster only where the clusters have the same domain. */
const ADDRESSES = ["url", "address"];

// Names of revisions are counted cluster by cluster.
const REVISIONS = ["latestCreatedRevisionName", "latestReadyRevisionName"];

export const KNATIVE_RULES: RulesByKind = {
  // Not workloads: how many pods a Service has is decided from one request to the next, in its cluster.
  [`${SERVING}/Service`]: knative({
    decisive: ["Ready", "ConfigurationsReady", "RoutesReady"],
    agreed: [...ADDRESSES, ...REVISIONS, "traffic"],
    needs: (object) => dependenciesOfTemplate(object, fieldsAt(object, "spec", "template")),
  }),
  [`${SERVING}/Configuration`]: knative({
    agreed: REVISIONS,
    needs: (object) => dependenciesOfTemplate(object, fieldsAt(object, "spec", "template")),
  }),
  [`${SERVING}/Route`]: knative({ agreed: [...ADDRESSES, "traffic"], needs: dependenciesOfRoute }),
  [`${SERVING}/Revision`]: knative({
    sums: ["actualReplicas", "desiredReplicas"],
    needs: (object) => dependenciesOfTemplate(object, { spec: object["spec"] }),
  }),
  "serving.knative.dev/v1beta1/DomainMapping": knative({ agreed: ADDRESSES, needs: refsAt(["ref"]) }),

  "eventing.knative.dev/v1/Broker": knative({
    agreed: ["address", "deadLetterSinkUri"],
    needs: refsAt(["config"], ["delivery", "deadLetterSink", "ref"]),
  }),
  "eventing.knative.dev/v1/Trigger": knative({
    agreed: ["subscriberUri", "deadLetterSinkUri"],
    needs: dependenciesOfTrigger,
  }),
  "messaging.knative.dev/v1/Channel": knative({ agreed: ["address", "deadLetterSinkUri"] }),
  "messaging.knative.dev/v1/InMemoryChannel": knative({ agreed: ["address", "deadLetterSinkUri"] }),
  "messaging.knative.dev/v1/Subscription": knative({
    agreed: ["physicalSubscription"],
    needs: refsAt(["channel"], ["subscriber", "ref"], ["reply", "ref"], ["delivery", "deadLetterSink", "ref"]),
  }),
  "flows.knative.dev/v1/Sequence": knative({ agreed: ["address"], needs: dependenciesOfSteps("steps") }),
  "flows.knative.dev/v1/Parallel": knative({ agreed: ["address"], needs: dependenciesOfSteps("branches") }),
  ...sources("sources.knative.dev/v1", ["ApiServerSource", "PingSource", "SinkBinding", "ContainerSource"]),
};

interface KnativeRule extends AgreementRule {
  readonly needs?: (object: KubeObject) => readonly Dependency[];
}

function knative({ needs, ...rule }: KnativeRule): KindRules {
  return {
    interpretHealth: isCurrentWith("Ready"),
    reflectStatus: reflectingWithGenerations(["conditions", "observedGeneration", ...namedFields(rule)]),
    aggregateStatus: aggregatingAgreement({ decisive: ["Ready"], ...rule }),
    ...(needs === undefined ? {} : { getDependencies: needs }),
  };
}

function sources(apiVersion: string, kinds: readonly string[]): RulesByKind {
  const rule = knative({ agreed: ["sinkUri"], needs: dependenciesOfSource });
  return Object.fromEntries(kinds.map((kind) => [`${apiVersion}/${kind}`, rule]));
}

/** Revisions are made in their cluster; the Configuration that makes them may come along. */
function dependenciesOfRoute(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const target of objectsAtPath(object, "spec", "traffic")) {
    references.add("Configuration", textAtPath(target, "configurationName"), SERVING);
  }
  return references.list();
}

function dependenciesOfTrigger(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  references.add("Broker", textAtPath(object, "spec", "broker"), "eventing.knative.dev/v1");
  addRefs(object, references, [
    ["subscriber", "ref"],
    ["delivery", "deadLetterSink", "ref"],
  ]);
  return references.list();
}

function dependenciesOfSteps(list: "steps" | "branches"): (object: KubeObject) => readonly Dependency[] {
  return (object) => {
    const references = new References(object);
    addRefs(object, references, [["reply", "ref"]]);
    for (const step of objectsAtPath(object, "spec", list)) {
      for (const target of [step, fieldsAt(step, "subscriber"), fieldsAt(step, "filter"), fieldsAt(step, "reply")]) {
        addRef(fieldsAt(target, "ref"), references);
      }
    }
    return references.list();
  };
}

/** Where the events go, and the account and the pods that fetch them. */
function dependenciesOfSource(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  addRefs(object, references, [["sink", "ref"]]);
  const account = textAtPath(object, "spec", "serviceAccountName");
  if (account !== "default") references.add("ServiceAccount", account);
  for (const { kind, name = "" } of dependenciesOfTemplate(object, fieldsAt(object, "spec", "template"))) {
    references.add(kind, name);
  }
  return references.list();
}

type Path = readonly string[];

function refsAt(...paths: readonly Path[]): (object: KubeObject) => readonly Dependency[] {
  return (object) => {
    const references = new References(object);
    addRefs(object, references, paths);
    return references.list();
  };
}

function addRefs(object: KubeObject, references: References, paths: readonly Path[]): void {
  for (const path of paths) addRef(fieldsAt(object, "spec", ...path), references);
}

/** A reference of Knative: by kind and name, in the namespace of the object unless it names one. */
function addRef(ref: Fields, references: References): void {
  const kind = textAtPath(ref, "kind");
  const apiVersion = textAtPath(ref, "apiVersion") || "v1";
  if (kind !== "") references.add(kind, textAtPath(ref, "name"), apiVersion, textAtPath(ref, "namespace"));
}
