// What the river does where somebody outside decides; what it decides by itself is shown by the plans made of it.
import { describe, expect, it } from "vitest";
import { AppError } from "../../runtime/errors.ts";
import { binding, claimed, cluster, configMap, deployment, policy, weighted, world } from "../../test/builders.ts";
import { AnswerPending, Answers, notAsked, type Question } from "../interpreter/answers.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { comparePlans } from "./changes.ts";
import { type Outcome, runRiver } from "./river.ts";

const owner = policy({
  name: "p",
  placement: { ...weighted({ a: 1, b: 1 }), clusterAffinity: { clusterNames: ["a", "b"] } },
  propagateDeps: true,
});
const fleet = [cluster({ name: "a" }), cluster({ name: "b" })];
const [web, api] = ["web", "api"].map((name) => claimed(deployment({ name, replicas: 4 }), owner));
const given = world({ clusters: fleet, policies: [owner], templates: [web, api].filter((each) => each !== undefined) });

type Operation = "getReplicas" | "reviseReplica" | "getDependencies";

function questionAbout(operation: string, name = ""): Question {
  return { asker: "webhook", key: `${operation} ${name}`, subject: `${operation} of ${name}` };
}

/** Deployments are native, save for one operation that somebody outside does. */
function run(operation: Operation, answers: Answers, of = given): ReadonlyMap<string, Outcome> {
  const native = nativeLevel();
  const names = {
    getReplicas: "InterpretReplica",
    reviseReplica: "ReviseReplica",
    getDependencies: "InterpretDependency",
  };
  const interpreter = createInterpreter({
    webhook: {
      hookEnabled: (gvk, asked) => gvk.kind === "Deployment" && asked === names[operation],
      [operation]: (object: typeof web, more: unknown) =>
        answers.valueOf(questionAbout(`${operation}${more === undefined ? "" : ` ${more}`}`, object?.metadata.name)),
    },
    native,
  });
  return runRiver(of, { interpreter, now: 0 });
}

function pendingOf(operation: Operation, answers = new Answers()): string[] {
  try {
    run(operation, answers);
  } catch (error) {
    if (error instanceof AnswerPending) return error.questions.map(({ key }) => key).sort();
    throw error;
  }
  return [];
}

function answering(operation: string, answer: Parameters<Answers["set"]>[1] | "not asked"): Answers {
  const answers = new Answers();
  for (const name of ["web", "api"]) {
    const question = questionAbout(operation, name);
    answers.set(question, answer === "not asked" ? { failure: notAsked(question, "nobody asks") } : answer);
  }
  return answers;
}

describe("the river", () => {
  it("asks for all templates at once", () => {
    expect(pendingOf("getReplicas")).toEqual(["getReplicas api", "getReplicas web"]);
    expect(pendingOf("reviseReplica")).toEqual(["reviseReplica 2 api", "reviseReplica 2 web"]);
    expect(pendingOf("getDependencies")).toEqual(["getDependencies api", "getDependencies web"]);
  });

  it("goes on with the answers", () => {
    const outcomes = run("getReplicas", answering("getReplicas", { value: { replicas: 10 } }));

    expect([...outcomes.values()].map(({ binding: made }) => made?.spec.replicas)).toEqual([10, 10]);
  });

  it.each<[Operation, string]>([
    ["getReplicas", "getReplicas"],
    ["reviseReplica", "reviseReplica 2"],
    ["getDependencies", "getDependencies"],
  ])("says that nothing is known where nobody was asked for %s", (operation, question) => {
    const outcomes = [...run(operation, answering(question, "not asked")).values()];

    for (const { unknown, problems } of outcomes) {
      expect(unknown).toContain(`${question} of`);
      expect(unknown).toContain("is not known: nobody asks");
      expect(problems).toEqual([]);
    }
  });

  it("counts a webhook that does not answer as not known, too", () => {
    const failure = new AppError("interpreter-webhook-failed", "it is down", { recovery: "retry" });

    const [outcome] = run("getReplicas", answering("getReplicas", { failure })).values();

    expect(outcome?.unknown).toContain("it is down");
  });
});

describe("a plan with unknown objects", () => {
  it("claims no change of them, and names them", () => {
    const before = run("getReplicas", answering("getReplicas", { value: { replicas: 10 } }));
    const after = run("getReplicas", answering("getReplicas", "not asked"));

    const plan = comparePlans(before, after, ["a", "b"]);

    expect(plan).toMatchObject({ changes: [], problems: [], movedReplicas: 0 });
    expect(plan.unknown.map(({ object }) => object.name)).toEqual(["api", "web"]);
    expect(plan.clusters.map(({ replicasBefore, replicasAfter }) => [replicasBefore, replicasAfter])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it("claims nothing of what follows them", () => {
    const settings = configMap("settings");
    const snapshot = { namespace: "shop", name: "web-deployment", clusters: [{ name: "a", replicas: 2 }] };
    const follower = binding({ template: settings, policy: owner, clusters: [] });
    const following = {
      ...given,
      templates: [...given.templates, settings],
      bindings: [{ ...follower, spec: { ...follower.spec, requiredBy: [snapshot] } }] as typeof given.bindings,
    };
    const dependency = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" };

    const before = run("getDependencies", answering("getDependencies", { value: [dependency] }), following);
    const after = run("getDependencies", answering("getDependencies", "not asked"), following);

    const plan = comparePlans(before, after, ["a", "b"]);
    expect(plan.changes).toEqual([]);
    expect(plan.unknown.map(({ object }) => object.name)).toEqual(["api", "web", "settings"]);
  });
});
