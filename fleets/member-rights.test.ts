import { beforeEach, describe, expect, it } from "vitest";
import type { ApiRequest, ApiResponse, Transport } from "../kube/client/transport.ts";
import { FakeClock } from "../runtime/clock.ts";
import { type DeniedRequest, MemberRights, rightsCondition } from "./member-rights.ts";

const PATCH: ApiRequest = { method: "PATCH", path: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x" };
const DENIED = 'deployments.apps "web" is forbidden: User "m" cannot patch resource "deployments" in API group "apps"';

function answer(status: number, message = ""): ApiResponse {
  return { status, headers: {}, body: Buffer.from(JSON.stringify({ kind: "Status", code: status, message })) };
}

function messageOf(response: ApiResponse): string {
  return (JSON.parse(Buffer.from(response.body as Uint8Array).toString()) as { message: string }).message;
}

describe("MemberRights", () => {
  let clock: FakeClock;
  let rights: MemberRights;
  /** What the member answers, one after the other; the last for ever. */
  let answers: ApiResponse[];
  let asked: number;
  let send: Transport;

  beforeEach(() => {
    clock = new FakeClock();
    rights = new MemberRights(clock);
    asked = 0;
    send = rights.guard("m1", () => {
      asked++;
      const [next] = answers;
      if (answers.length > 1) answers.shift();
      return Promise.resolve(next!);
    });
  });

  async function sendWithTime(): Promise<ApiResponse> {
    const sent = send(PATCH);
    for (let i = 0; i < 5; i++) await clock.advance(1_000);
    return sent;
  }

  it("sends a request again once the right was granted, and the member has noticed", async () => {
    answers = [answer(403, DENIED), answer(403, DENIED), answer(200)];
    const denied: DeniedRequest[] = [];
    rights.keepBy((_cluster, request) => {
      denied.push(request);
      return Promise.resolve(true);
    });

    expect((await sendWithTime()).status).toBe(200);
    expect(denied).toMatchObject([
      { verb: "patch", group: "apps", resource: "deployments", namespace: "shop", name: "web", handsOut: false },
    ]);
    expect(rights.missing("m1")).toEqual([]);
  });

  it("tells what is refused, and how to grant it", async () => {
    answers = [answer(403, DENIED)];

    const refused = await send(PATCH);

    expect(messageOf(refused)).toBe(`${DENIED}. Grant it: flaghoist grant m1 --cluster-kubeconfig FILE`);
    expect(rightsCondition("m1", rights.missing("m1"), 0)).toMatchObject({
      type: "SufficientRights",
      status: "False",
      reason: "RightsMissing",
      message:
        "account karmada-m1 may not patch deployments.apps. Grant it: flaghoist grant m1 --cluster-kubeconfig FILE",
    });
  });

  it("believes a refusal for a while, so that a member is not asked in vain for each object", async () => {
    answers = [answer(403, DENIED)];
    let kept = 0;
    rights.keepBy(() => {
      kept++;
      return Promise.resolve(true);
    });
    await sendWithTime();
    const before = asked;

    await send(PATCH);

    expect(asked - before).toBe(1);
    expect(kept).toBe(1);
  });

  it("has nothing missing any more when the same is allowed", async () => {
    answers = [answer(403, DENIED), answer(200)];
    await send(PATCH);
    await send(PATCH);

    expect(rights.missing("m1")).toEqual([]);
    expect(rightsCondition("m1", rights.missing("m1"), 0)).toBeUndefined();
  });

  it.each([
    'admission webhook "deny.example" denied the request: no',
    'pods "a" is forbidden: exceeded quota: small, requested: pods=1',
    "deployments is forbidden: ValidatingAdmissionPolicy 'x' denied request",
  ])("leaves refusals alone that no right would change: %s", async (message) => {
    answers = [answer(403, message)];
    rights.keepBy(() => Promise.reject(new Error("was asked")));

    expect(messageOf(await send(PATCH))).toBe(message);
    expect(rights.missing("m1")).toEqual([]);
  });

  it("asks for what a role would hand out", async () => {
    const message =
      'clusterroles "a" is forbidden: user "m" is attempting to grant RBAC permissions not currently held:\n{APIGroups:["batch"]}';
    answers = [answer(403, message), answer(200)];
    const seen: boolean[] = [];
    rights.keepBy((_cluster, { handsOut }) => {
      seen.push(handsOut);
      return Promise.resolve(true);
    });

    expect((await sendWithTime()).status).toBe(200);
    expect(seen).toEqual([true]);
  });
});
