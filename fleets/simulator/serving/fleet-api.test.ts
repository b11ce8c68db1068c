import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAULT_TYPES } from "../../../api/fleet-faults.ts";
import { Random } from "../../../runtime/random.ts";
import { mutateText, randomJson } from "../../../test/fuzz/random.ts";
import { testSeed } from "../../../test/seed.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";
import { fleetApi } from "./fleet-api.ts";

const CASES = Number(process.env["TEST_CASES"] ?? 400);
const ADMIN = { name: "admin", groups: ["system:masters", "system:authenticated"] };
const TOKENS = ["{", "}", ":", ",", '"', "null", "[]", '"target"', '"__proto__"', '"for"', "-1", "1e400", "*"];

let fleet: SimulatedFleet;

beforeAll(async () => {
  fleet = await createFleet({ clusters: 2, nodesPerCluster: 1, level: "idle", pace: "stepped" });
});
afterAll(() => fleet.close());

async function ask(method: string, path: string, body: string): Promise<{ status: number; text: string }> {
  const answer = await fleetApi(fleet).handle({ method, path, user: ADMIN, body: Buffer.from(body) });
  return { status: answer.status, text: Buffer.from(answer.body as Uint8Array).toString("utf8") };
}

describe("the management API of a fleet", () => {
  const seed = testSeed();

  it(`answers whatever it is sent, or says what is wrong with it (seed ${seed})`, async () => {
    const random = new Random(seed);
    for (let number = 0; number < CASES; number++) {
      const type = random.pick(FAULT_TYPES);
      const fault = { type, target: { clusters: ["member1"] }, for: "1m", by: "10s", to: "v1.37.0", group: "apps" };
      const wild = JSON.stringify({
        ...fault,
        [random.pick(["type", "target", "for", "nodes"])]: randomJson(random, 3),
      });
      const body = random.chance(0.5) ? mutateText(random, JSON.stringify(fault), TOKENS) : (wild ?? "");
      const path = random.pick([
        "/fleet/faults",
        "/fleet/faults",
        "/fleet/advance",
        "/fleet/faults/%",
        "/fleet/nothing",
      ]);
      const { status, text } = await ask(random.pick(["POST", "POST", "POST", "DELETE", "PUT"]), path, body);

      expect([status, text.length > 0, body], text).toEqual([expect.any(Number), true, body]);
      expect(status, `${path} ${body}: ${text}`).toBeLessThan(500);
    }
    expect((await ask("GET", "/fleet/status", "")).status).toBe(200);
  });

  it.each([
    ["no JSON", "{", 400, "the body must be JSON"],
    ["a list", "[]", 400, "the body must be a JSON object"],
    ["a type that is unknown", '{"type":"dwon","target":{"clusters":["member1"]}}', 422, "down"],
    ["a cluster that is not there", '{"type":"down","target":{"clusters":["member9"]}}', 409, "member9"],
  ])("refuses a fault that is %s", async (_what, body, status, words) => {
    const answer = await ask("POST", "/fleet/faults", body);

    expect(answer.status).toBe(status);
    expect(answer.text).toContain(words);
  });
});
