// Plays a generated case on one server.
import { isObject } from "../../../kube/object.ts";
import { type Answer, CaseClient, type Stream, type Target } from "../apiserver/case-client.ts";
import { holds } from "../apiserver/case-runner.ts";
import { post } from "../apiserver/targets.ts";
import { AnswerForm } from "./answer-form.ts";
import type { DifferentialCase } from "./differential-case.ts";

const POLL_MS = 60_000;
const POLL_EVERY_MS = 25;
/** A stream has told what it has to tell when it was quiet for so long. */
const QUIET_MS = 250;
const OWN = new Set(["default", "kube-root-ca.crt"]);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The comparable answer of each step; undefined for steps that are not compared. */
export async function playSteps(
  target: Target,
  { steps }: DifferentialCase,
  namespace: string,
  token: string,
): Promise<unknown[]> {
  await post(target.transport, "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  const client = new CaseClient(target, namespace, token);
  const form = new AnswerForm();
  const streams = new Map<string, Stream>();
  const answers: unknown[] = [];
  try {
    for (const step of steps) {
      if (step.op === "watch") {
        const { response, stream } = await client.open(step.request!);
        streams.set(step.id ?? "", stream);
        answers.push({ code: response.status, contentType: response.headers["content-type"] });
        continue;
      }
      if (step.op === "collect") {
        answers.push(form.of(await collect(streams.get(step.id ?? ""))));
        continue;
      }
      const deadline = Date.now() + POLL_MS;
      let answer = await client.send(step.request!);
      while (step.poll !== undefined && !holds(step.poll, answer) && Date.now() < deadline) {
        await pause(POLL_EVERY_MS);
        answer = await client.send(step.request!);
      }
      client.save(step.save, answer);
      answers.push(step.silent === true ? undefined : form.of(comparable(answer)));
    }
  } finally {
    for (const stream of streams.values()) stream.abort.abort();
  }
  return answers;
}

async function collect(stream: Stream | undefined): Promise<unknown> {
  if (stream === undefined) return "no such stream";
  let seen = -1;
  while (!stream.ended && stream.events.length !== seen) {
    seen = stream.events.length;
    await pause(QUIET_MS);
  }
  const events = stream.events.filter((event) => {
    const text = JSON.stringify(event);
    if (!isObject(event) || !isObject(event["object"])) return true;
    const meta = event["object"]["metadata"];
    if (isObject(meta) && OWN.has(String(meta["name"]))) return false;
    return event["type"] !== "BOOKMARK" || text.includes("initial-events-end");
  });
  return { ended: stream.ended, events };
}

function comparable(answer: Answer): unknown {
  const { headers, code, body } = answer;
  const warning = [headers["warning"] ?? []].flat().join(", ");
  return { code, contentType: headers["content-type"], warning, body: withoutOwn(body) };
}

/** A list without what every namespace has of itself. */
function withoutOwn(body: unknown): unknown {
  if (!isObject(body)) return body;
  const out: Record<string, unknown> = { ...body };
  for (const key of ["items", "rows"]) {
    const list = body[key];
    if (!Array.isArray(list)) continue;
    out[key] = list.filter((item) => {
      const object = isObject(item) && isObject(item["object"]) ? item["object"] : item;
      const meta = isObject(object) ? object["metadata"] : undefined;
      return !isObject(meta) || !OWN.has(String(meta["name"]));
    });
  }
  return out;
}
