// Large lists in the encodings that people read: sent in parts, and the same text as a list encoded as a whole.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseYaml } from "../../../kube/yaml.ts";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";

const MANY = 300;
let test: TestServer;

beforeEach(async () => {
  test = await startTestServer();
  for (let number = 0; number < MANY; number++) {
    await test.call(
      "POST",
      CONFIG_MAPS,
      configMap(`map-${number}`, { text: `line ${number}\n  "quoted"\n`, items: "- a" }),
    );
  }
});
afterEach(() => test.server.close());

async function read(query: string, accept = "application/json"): Promise<{ text: string; parts: number }> {
  const answer = await test.server.handle({ method: "GET", path: `${CONFIG_MAPS}${query}`, headers: { accept } });
  const { source } = answer;
  if (source === undefined) return { text: Buffer.from(answer.body as Uint8Array).toString(), parts: 1 };
  const chunks: Uint8Array[] = [];
  while (source.state === "open") {
    const chunk = source.read();
    if (chunk !== undefined) chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString(), parts: chunks.length };
}

describe("a large list", () => {
  it("in indented JSON is the indented form of the compact one, made in parts", async () => {
    const compact = await read("");
    const pretty = await read("?pretty=true");

    expect(pretty.text).toBe(`${JSON.stringify(JSON.parse(compact.text), null, 2)}\n`);
    expect(pretty.parts).toBeGreaterThan(MANY);
  });

  it("in YAML has the data of the compact one, made in parts", async () => {
    const compact = await read("");
    const yaml = await read("", "application/yaml");

    expect(parseYaml(yaml.text)).toEqual(JSON.parse(compact.text));
    expect(yaml.parts).toBeGreaterThan(MANY);
  });

  it("without items is the same in parts as whole", async () => {
    const selector = "?labelSelector=no%3Dsuch";

    expect(JSON.parse((await read(`${selector}&pretty=true`)).text).items).toEqual([]);
    expect((await read(selector, "application/yaml")).text).toContain("items: []");
  });
});
