// Plays one recorded case against a server.
import { randomUUID } from "node:crypto";
import { valueAt } from "../../../kube/json-patch.ts";
import { isObject } from "../../../kube/object.ts";
import { differences } from "../compare.ts";
import { type Answer, CaseClient, type Stream, type Target } from "./case-client.ts";
import { toNormalForm } from "./normal-form.ts";
import { Placeholders } from "./placeholders.ts";
import type { PollCondition, RecordedCase, RecordedEvent, RecordedResponse, RecordedStep } from "./recorded.ts";

/** The garbage collector of a real cluster looks for new kinds twice a minute. */
const POLL_MS = 60_000;
const POLL_EVERY_MS = 20;
const COLLECT_MS = 4000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs a case in the namespace `namespace`; answers what differed, nothing when all was as recorded. */
export async function playCase(
  target: Target,
  recorded: RecordedCase,
  namespace: string,
  token: string,
): Promise<string[]> {
  const player = new Player(target, recorded.topic, namespace, token);
  try {
    for (const [index, step] of recorded.steps.entries()) {
      const found = await player.play(step);
      if (found.length > 0) {
        const request = step.request === undefined ? "" : ` ${step.request.method} ${step.request.path}`;
        await player.cleanUp(recorded.steps.slice(index + 1));
        return [`step ${index + 1} (${step.op}${request}):`, ...found];
      }
    }
    return [];
  } finally {
    player.close();
  }
}

class Player {
  readonly #target: Target;
  readonly #topic: string;
  readonly #client: CaseClient;
  readonly #placeholders = new Placeholders();
  readonly #streams = new Map<string, Stream>();

  constructor(target: Target, topic: string, namespace: string, token: string) {
    this.#target = target;
    this.#topic = topic;
    this.#client = new CaseClient(target, namespace, token);
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.abort.abort();
  }

  /** What the rest of a failed case deletes must not stay: a broken APIService would disturb the cases after it. */
  async cleanUp(rest: readonly RecordedStep[]): Promise<void> {
    for (const { request } of rest) if (request?.method === "DELETE") await this.#client.send(request);
  }

  async play(step: RecordedStep): Promise<string[]> {
    switch (step.op) {
      case "sleep":
        await pause(step.ms ?? 0);
        return [];
      case "compact":
        // Elsewhere the recording answered from a cache that the compaction of the storage did not touch.
        if (this.#topic === "gone") await this.#target.compact();
        return [];
      case "watch":
        return this.#watch(step);
      case "collect":
        return this.#collect(step);
      default:
        return this.#exchange(step);
    }
  }

  async #exchange(step: RecordedStep): Promise<string[]> {
    const deadline = Date.now() + POLL_MS;
    // The recorded cluster's own controllers wrote all the time, so a list was never at the revision of its objects.
    if (step.op === "list" || step.op === "deletecollection") await this.#writeElsewhere();
    for (;;) {
      const answer = await this.#client.send(step.request!);
      if (step.poll !== undefined && !holds(step.poll, answer) && Date.now() < deadline) {
        await pause(POLL_EVERY_MS);
        continue;
      }
      this.#client.save(step.save, answer);
      return this.#compare(step.response!, withoutOwnAccount(step.request!.path, answer));
    }
  }

  async #writeElsewhere(): Promise<void> {
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "conformance" },
      spec: { holderIdentity: randomUUID() },
    };
    const path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/conformance?fieldManager=c&force=true";
    const headers = { "content-type": "application/apply-patch+yaml" };
    const body = JSON.stringify(lease);
    await this.#target.transport({ method: "PATCH", path, headers, body });
  }

  #compare(response: RecordedResponse, answer: Answer): string[] {
    const expected: Record<string, unknown> = { code: response.code };
    const actual: Record<string, unknown> = { code: answer.code };
    if (response.contentType !== undefined) {
      expected["contentType"] = response.contentType;
      actual["contentType"] = headerText(answer, "content-type");
    }
    if (response.warning !== undefined) {
      expected["warning"] = response.warning.join(", ");
      actual["warning"] = headerText(answer, "warning");
    }
    for (const [name, value] of Object.entries(response.headers ?? {})) {
      expected[name] = value;
      actual[name] = headerText(answer, name);
    }
    if (response.body !== undefined) {
      expected["body"] = this.#client.substitute(response.body);
      actual["body"] = answer.body;
    }
    for (const [pointer, value] of Object.entries(response.pick ?? {})) {
      expected[pointer] = this.#client.substitute(value);
      // Picked from the normal form, which leaves out what identifies a build.
      actual[pointer] = valueAt(toNormalForm(answer.body), pointer);
    }
    return this.#differences(expected, actual);
  }

  #differences(expected: unknown, actual: unknown): string[] {
    const wanted = toNormalForm(expected);
    const found = toNormalForm(actual);
    // Twice: causes are in order only once the values inside them are replaced.
    const filled = this.#placeholders.fill(wanted, found);
    return differences(wanted, filled);
  }

  async #watch(step: RecordedStep): Promise<string[]> {
    const { response, stream } = await this.#client.open(step.request!);
    this.#streams.set(step.id ?? "", stream);
    const found = this.#compare(
      {
        code: step.response!.code,
        ...(step.response!.contentType === undefined ? {} : { contentType: step.response!.contentType }),
      },
      { code: response.status, headers: response.headers, body: undefined },
    );
    return found;
  }

  async #collect(step: RecordedStep): Promise<string[]> {
    const stream = this.#streams.get(step.id ?? "");
    const expected = this.#client.substitute(step.events ?? []);
    if (stream === undefined) return ["there is no such stream"];
    const deadline = Date.now() + COLLECT_MS;
    const isBookmark = (event: unknown): boolean =>
      isObject(event) && event["type"] === "BOOKMARK" && !JSON.stringify(event).includes("initial-events-end");
    const arrived = (): unknown[] => stream.events.filter((event) => !isBookmark(event));
    while (Date.now() < deadline && (arrived().length < expected.length || (step.ended === true && !stream.ended))) {
      await pause(5);
    }
    // What should not come must have had its chance.
    if (!stream.ended) await pause(15);
    const problems: string[] = [];
    if (step.ended === true && !stream.ended) problems.push("the stream did not end");
    if (step.atLeastOneBookmark === true && !stream.events.some(isBookmark)) problems.push("no bookmark came");
    const events = arrived();
    const cut = events.map((event, index) => cutTo(expected[index], event));
    return [...problems, ...this.#differences(expected, cut)];
  }
}

/** Keeps of an event what the recording kept: whole objects, or some of their fields. */
function cutTo(expected: RecordedEvent | undefined, actual: unknown): unknown {
  if (expected === undefined || !isObject(actual) || !isObject(actual["object"])) return actual;
  const wanted = expected.object;
  const wantedMeta = isObject(wanted["metadata"]) ? wanted["metadata"] : {};
  const isWhole = "creationTimestamp" in wantedMeta || "rows" in wanted || expected.type === "ERROR";
  if (isWhole) return actual;
  const object: Record<string, unknown> = {};
  for (const key of Object.keys(wanted)) object[key] = actual["object"][key];
  const meta = isObject(actual["object"]["metadata"]) ? actual["object"]["metadata"] : {};
  object["metadata"] = Object.fromEntries(
    Object.keys(wantedMeta)
      .filter((key) => key in meta)
      .map((key) => [key, expected.type === "BOOKMARK" && key === "resourceVersion" ? wantedMeta[key] : meta[key]]),
  );
  return { ...actual, object };
}

/** A list without the account that every namespace has of itself: the recordings were made before it was there. */
function withoutOwnAccount(path: string, answer: Answer): Answer {
  const { body } = answer;
  if (!path.includes("/serviceaccounts") || !isObject(body)) return answer;
  const stripped: Record<string, unknown> = { ...body };
  for (const key of ["items", "rows"]) {
    const list = body[key];
    if (Array.isArray(list)) stripped[key] = list.filter((item) => nameOf(item) !== "default");
  }
  return { ...answer, body: stripped };
}

/** The name of a list item or of a table row. */
function nameOf(item: unknown): unknown {
  if (!isObject(item)) return undefined;
  const object = isObject(item["object"]) ? item["object"] : item;
  return isObject(object["metadata"]) ? object["metadata"]["name"] : undefined;
}

function headerText(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name.toLowerCase()];
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}

/** Whether an answer is the one that a step waits for. */
export function holds(condition: PollCondition, answer: Answer): boolean {
  if (condition.code !== undefined) return answer.code === condition.code;
  if (condition.has !== undefined) return valueAt(answer.body, condition.has) !== undefined;
  return JSON.stringify(valueAt(answer.body, condition.ptr ?? "")) === JSON.stringify(condition.value);
}
