import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { Answers, type Question } from "../../interpreter/answers.ts";
import type { Interpreter, InterpreterLevel } from "../../interpreter/interpreter.ts";
import { type Asker, Interpretation, type InterpretationChange, type LevelProvider } from "./interpretation.ts";

const GVK = { group: "example.com", version: "v1", kind: "Gadget" };
const signal = new AbortController().signal;

function gadget(name: string): KubeObject {
  return { apiVersion: "example.com/v1", kind: "Gadget", metadata: { name } };
}

/** Knows replicas and health of Gadgets once it is told. */
class Provider implements LevelProvider {
  readonly askers: readonly Asker[];
  readonly listeners: ((change: InterpretationChange) => void)[] = [];
  kind = "Gadget";

  constructor(ask: Asker["ask"]) {
    this.askers = [{ name: "test", ask }];
  }

  subscribe(listener: (change: InterpretationChange) => void): void {
    this.listeners.push(listener);
  }

  levelWith(answers: Answers): InterpreterLevel {
    const value = (operation: string, object: KubeObject): unknown => {
      const key = `${operation} ${object.metadata.name}`;
      return answers.valueOf({ asker: "test", key, subject: key });
    };
    return {
      hookEnabled: (gvk, operation) =>
        gvk.kind === this.kind && (operation === "InterpretReplica" || operation === "InterpretHealth"),
      getReplicas: (object) => ({ replicas: value("replicas", object) as number }),
      interpretHealth: (object) => value("health", object) === true,
    };
  }
}

/** Asks are open until they are answered here. */
function openAsks(): { asks: string[]; answer(key: string, value: unknown): void; ask: Asker["ask"] } {
  const asks: string[] = [];
  const open = new Map<string, PromiseWithResolvers<unknown>>();
  return {
    asks,
    answer: (key, value) => {
      if (value instanceof Error) open.get(key)?.reject(value);
      else open.get(key)?.resolve(value);
      open.delete(key);
    },
    ask: ({ key }: Question) => {
      asks.push(key);
      const asked = Promise.withResolvers<unknown>();
      open.set(key, asked);
      return asked.promise;
    },
  };
}

function start(ask: Asker["ask"]): { interpretation: Interpretation; provider: Provider } {
  const provider = new Provider(ask);
  return { interpretation: new Interpretation({ compatibility: "karmada", webhook: provider }), provider };
}

const replicas = (name: string) => (interpreter: Interpreter) => interpreter.getReplicas(gadget(name)).replicas;

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("Interpretation", () => {
  it("answers from the rules that need nobody without asking", async () => {
    const { interpretation } = start(async () => expect.unreachable());
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a" }, spec: { replicas: 2 } };

    expect(await interpretation.decide((interpreter) => interpreter.getReplicas(deployment), { signal })).toEqual({
      replicas: 2,
    });
  });

  it("asks what a rule lacks, and decides again with the answer", async () => {
    const { interpretation } = start(async ({ key }) => (key === "replicas a" ? 7 : true));

    const decided = await interpretation.decide(
      (interpreter) => [interpreter.getReplicas(gadget("a")).replicas, interpreter.interpretHealth(gadget("a"))],
      { signal },
    );

    expect(decided).toEqual([7, true]);
  });

  it("remembers an answer for one decision only", async () => {
    let asked = 0;
    const { interpretation } = start(async () => ++asked);

    expect(await interpretation.decide(replicas("a"), { signal })).toBe(1);
    expect(await interpretation.decide(replicas("a"), { signal })).toBe(2);
  });

  it("asks once what several ask at the same time", async () => {
    const outside = openAsks();
    const { interpretation } = start(outside.ask);

    const both = [
      interpretation.decide(replicas("a"), { signal }),
      interpretation.decide(replicas("a"), { signal }),
      interpretation.decide(replicas("b"), { signal }),
    ];
    await settle();
    outside.answer("replicas a", 3);
    outside.answer("replicas b", 4);

    expect(await Promise.all(both)).toEqual([3, 3, 4]);
    expect(outside.asks).toEqual(["replicas a", "replicas b"]);
  });

  it("throws a failure where the rule wanted the value", async () => {
    const failure = new AppError("webhook-failed", "no answer", { recovery: "retry" });
    const { interpretation } = start(async () => {
      throw failure;
    });

    await expect(interpretation.decide(replicas("a"), { signal })).rejects.toBe(failure);
    const spoken = await interpretation.decide(
      (interpreter) => {
        try {
          return interpreter.interpretHealth(gadget("a"));
        } catch (error) {
          if (error instanceof AppError) return error.code;
          throw error;
        }
      },
      { signal },
    );
    expect(spoken).toBe("webhook-failed");
  });

  it("stops waiting when its decision is given up, and the call when nobody waits any more", async () => {
    const given: AbortSignal[] = [];
    const outside = openAsks();
    const { interpretation } = start((question, abort) => {
      given.push(abort);
      return outside.ask(question, abort);
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const one = interpretation.decide(replicas("a"), { signal: first.signal });
    const other = interpretation.decide(replicas("a"), { signal: second.signal });
    await settle();

    first.abort(new Error("stopped"));
    await expect(one).rejects.toThrow("stopped");
    expect(given[0]?.aborted).toBe(false);

    second.abort(new Error("stopped too"));
    await expect(other).rejects.toThrow("stopped too");
    expect(given[0]?.aborted).toBe(true);

    const third = interpretation.decide(replicas("a"), { signal });
    await settle();
    outside.answer("replicas a", 5);
    expect(await third).toBe(5);
  });

  it("takes up a changed level before it tells of the change", async () => {
    const { interpretation, provider } = start(async () => 1);
    const seen: boolean[] = [];
    interpretation.subscribe((change) =>
      seen.push(change.concerns(GVK, "InterpretReplica"), interpretation.hookEnabled(GVK, "InterpretReplica")),
    );
    expect(interpretation.hookEnabled(GVK, "InterpretReplica")).toBe(true);

    provider.kind = "Gizmo";
    for (const listener of provider.listeners) listener({ concerns: ({ kind }) => kind === "Gadget" });

    expect(seen).toEqual([true, false]);
  });

  it("does not go round for ever with a level that does not take its answer", async () => {
    const provider = new Provider(async () => 1);
    provider.levelWith = (): InterpreterLevel => ({
      hookEnabled: () => true,
      getReplicas: () => new Answers().valueOf({ asker: "test", key: "same", subject: "same" }) as never,
    });
    const interpretation = new Interpretation({ compatibility: "karmada", webhook: provider });

    await expect(interpretation.decide(replicas("a"), { signal })).rejects.toThrow("does not take the answer");
  });
});
