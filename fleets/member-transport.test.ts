import { beforeEach, describe, expect, it } from "vitest";
import type { ApiRequest, ApiResponse, Transport } from "../kube/client/transport.ts";
import { FakeClock } from "../runtime/clock.ts";
import { boundTransport, type RequestRate } from "./member-transport.ts";

let clock: FakeClock;
let closing: AbortController;
let sent: ApiRequest[];
const ANSWER: ApiResponse = { status: 200, headers: {}, body: new Uint8Array() };

beforeEach(() => {
  clock = new FakeClock();
  closing = new AbortController();
  sent = [];
});

function bound(answer: Transport, rate?: RequestRate): Transport {
  return boundTransport(
    (request) => {
      sent.push(request);
      return answer(request);
    },
    { clock, deadlineMs: 15_000, rate, closing: closing.signal },
  );
}

const get = (path = "/api/v1/pods"): ApiRequest => ({ method: "GET", path });

describe("boundTransport", () => {
  it("passes answers on, streams among them, however long they go on", async () => {
    const stream: ApiResponse = { ...ANSWER, body: (async function* () {})() };
    const transport = bound(async () => stream);

    expect(await transport(get("/api/v1/pods?watch=true"))).toBe(stream);
    await clock.advance(60_000);
    expect(sent[0]?.signal?.aborted).toBe(false);
  });

  it("ends a request that nobody answers, and tells the transport", async () => {
    const failure = bound(() => new Promise(() => {}))(get()).catch((error: unknown) => error);
    await clock.advance(15_000);

    expect(await failure).toMatchObject({
      code: "api-unreachable",
      message: "no answer to GET /api/v1/pods: not within 15 s",
    });
    expect(sent[0]?.signal?.aborted).toBe(true);
  });

  it("lets a burst through, then keeps the pace, in order", async () => {
    const transport = bound(async () => ANSWER, { perSecond: 10, burst: 3 });
    for (let number = 0; number < 6; number++) void transport(get(`/${number}`));
    await clock.advance(0);
    expect(sent.map(({ path }) => path)).toEqual(["/0", "/1", "/2"]);

    await clock.advance(100);
    expect(sent).toHaveLength(4);
    await clock.advance(200);
    expect(sent.map(({ path }) => path)).toEqual(["/0", "/1", "/2", "/3", "/4", "/5"]);
    await clock.advance(10_000);
    for (let number = 0; number < 6; number++) void transport(get());
    await clock.advance(0);
    expect(sent).toHaveLength(9);
  });

  it("lets probes through at any time", async () => {
    const transport = bound(async () => ANSWER, { perSecond: 1, burst: 1 });
    void transport(get());
    void transport(get());
    void transport(get("/readyz"));
    await clock.advance(0);

    expect(sent.map(({ path }) => path)).toEqual(["/api/v1/pods", "/readyz"]);
  });

  it("ends what waits when the connection is closed", async () => {
    const transport = bound(async () => ANSWER, { perSecond: 1, burst: 1 });
    void transport(get());
    const waiting = transport(get()).catch((error: unknown) => error);

    closing.abort(new Error("closed"));

    expect(await waiting).toMatchObject({ message: "closed" });
  });

  it("goes on when the clock is set back", async () => {
    const slow = { now: 10_000_000_000 };
    const transport = boundTransport(async () => ANSWER, {
      clock: { now: () => slow.now, after: (ms, fn) => clock.after(ms, fn) },
      deadlineMs: 15_000,
      rate: { perSecond: 1, burst: 1 },
      closing: closing.signal,
    });
    await transport(get());
    slow.now = 0;
    const answer = transport(get());
    await clock.advance(61_000);

    expect(await answer).toBe(ANSWER);
  });
});
