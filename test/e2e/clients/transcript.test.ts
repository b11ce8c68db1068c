import { describe, expect, it } from "vitest";
import { maskOutput } from "./masks.ts";
import { formatExchange, splitTranscript } from "./transcript.ts";

describe("maskOutput", () => {
  it.each([
    ["ages and the widths they cause", "NAME    AGE\nweb     3m5s\nb       12s\n", "NAME  AGE\nweb  <age>\nb  <age>"],
    ["identifiers", "uid: 3f0c1d52-9a1e-4b57-9d2b-0c5f3a1b2c3d", "uid: <uid>"],
    ["revisions", 'resourceVersion: "123"', 'resourceVersion: "<rv>"'],
    ["times", "creationTimestamp: 2026-11-28T10:00:00Z", "creationTimestamp: <time>"],
    ["where the server is", "running at https://127.0.0.1:23500", "running at <server>"],
    ["tokens", "eyJhbGciOi.eyJpc3Mi.c2ln", "<token>"],
    ["the order of fields on the wire", '{"b":1,"a":2}', '{\n  "a": 2,\n  "b": 1\n}'],
  ])("hides %s", (_what, given, masked) => {
    expect(maskOutput(given)).toBe(masked);
  });

  it.each([
    ["what is configured", "delay=0s timeout=1s period=10s"],
    ["generations and counts", "generation: 2\nreplicas: 3"],
    ["indentation", "spec:\n  a:\n    b: 1"],
    ["addresses that the manifest gives", "PodCIDR: 10.244.0.0/24"],
  ])("leaves %s", (_what, text) => {
    expect(maskOutput(text)).toBe(text);
  });
});

describe("a transcript", () => {
  const exchange = { command: "kubectl get x", out: "a\n\nb", err: "no\n$ y", code: 1 };

  it("tells output, errors and ends apart, and leaves out success", () => {
    expect(formatExchange(exchange)).toBe("$ kubectl get x\n| a\n|\n| b\n! no\n! $ y\n= 1\n");
    expect(formatExchange({ command: "true", out: "", err: "", code: 0 })).toBe("$ true\n");
  });

  it("splits into what was put together", () => {
    const text = `A note.\n\n${formatExchange(exchange)}\n${formatExchange({ ...exchange, command: "two" })}`;

    expect(splitTranscript(text).map(({ command }) => command)).toEqual(["kubectl get x", "two"]);
    expect(splitTranscript(text)[0]?.block).toBe(formatExchange(exchange));
  });
});
