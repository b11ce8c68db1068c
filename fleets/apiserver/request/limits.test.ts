import { afterEach, describe, expect, it } from "vitest";
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";

const ALICE = { name: "alice", groups: ["system:authenticated"] };
let test: TestServer;

afterEach(async () => {
  await test.server.close();
});

/** A server whose `pods/log` answers when told to. */
async function startSlowServer(options: { mostReading?: number; mostWriting?: number } = {}) {
  const waiting: (() => void)[] = [];
  test = await startTestServer({
    ...options,
    admission: [
      {
        handles: (kind) => kind.kind === "ConfigMap",
        validate: async () => {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return [];
        },
      },
    ],
  });
  return {
    release: () => {
      for (const go of waiting.splice(0)) go();
    },
  };
}

function create(name: string, user = ALICE, query = ""): Promise<ApiResponse> {
  return test.server.handle({
    method: "POST",
    path: `${CONFIG_MAPS}${query}`,
    object: configMap(name),
    user,
    peer: "127.0.0.1",
  });
}

function get(path: string, user = ALICE): Promise<ApiResponse> {
  return test.server.handle({ method: "GET", path, user, peer: "127.0.0.1" });
}

describe("the limit of requests at once", () => {
  it("answers writes beyond it 429 with Retry-After, and lets reads, watches and administrators through", async () => {
    const { release } = await startSlowServer({ mostWriting: 2 });
    const running = [create("a"), create("b")];

    const refused = await create("c");
    const admin = create("d", { name: "admin", groups: ["system:masters"] });

    expect(refused.status).toBe(429);
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.parsed).toMatchObject({
      reason: "TooManyRequests",
      message: "Too many requests, please try again later.",
      details: { retryAfterSeconds: 1 },
    });
    expect((await get(CONFIG_MAPS)).status).toBe(200);
    release();
    expect((await Promise.all([...running, admin])).map(({ status }) => status)).toEqual([201, 201, 201]);
    const again = create("c");
    await new Promise((resolve) => setImmediate(resolve));
    release();
    expect((await again).status).toBe(201);
  });

  it("counts no watches", async () => {
    await startSlowServer({ mostReading: 1 });

    const watches = [await get(`${CONFIG_MAPS}?watch=1`), await get(`${CONFIG_MAPS}?watch=1`)];

    expect(watches.map(({ status }) => status)).toEqual([200, 200]);
    expect((await get(CONFIG_MAPS)).status).toBe(200);
  });
});

describe("the time limit of requests", () => {
  it.each([
    ["its own of a minute", "", 60_000],
    ["the client's", "?timeout=5s", 5000],
    ["its own when the client's is longer", "?timeout=5m", 60_000],
    ["its own when the client asks for none", "?timeout=0s", 60_000],
  ])("is %s, answered 504", async (_what, query, ms) => {
    await startSlowServer();
    let answer: ApiResponse | undefined;
    void create("a", ALICE, query).then((each) => {
      answer = each;
    });

    await test.clock.advance(ms - 1);
    expect(answer).toBeUndefined();
    await test.clock.advance(1);

    expect(answer?.status).toBe(504);
    expect(answer?.parsed).toMatchObject({
      message: "Timeout: request did not complete within the allotted timeout",
      reason: "Timeout",
    });
  });

  it.each([
    ["abc", 'time: invalid duration \\"abc\\"'],
    ["5", 'time: missing unit in duration \\"5\\"'],
    ["5x", 'time: unknown unit \\"x\\" in duration \\"5x\\"'],
  ])("refuses the text %s as the reference does", async (text, words) => {
    await startSlowServer();

    const answer = await get(`/version?timeout=${text}`);

    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.parsed)).toContain(
      JSON.stringify(`invalid timeout specified in the request URL - ${JSON.parse(`"${words}"`)}`).slice(1, -1),
    );
  });

  it("is none for watches, whatever they ask", async () => {
    await startSlowServer();

    expect((await get(`${CONFIG_MAPS}?watch=1&timeout=abc`)).status).toBe(200);
  });
});
