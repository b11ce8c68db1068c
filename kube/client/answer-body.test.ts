import { describe, expect, it } from "vitest";
import { KubeClient } from "./kube-client.ts";
import { isUnreachable } from "./status-error.ts";
import type { ApiRequest, ApiResponse } from "./transport.ts";

function answering(text: string): KubeClient {
  return new KubeClient(
    async (_request: ApiRequest): Promise<ApiResponse> => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: Buffer.from(text),
    }),
  );
}

describe("the body of an answer", () => {
  it("is what it says", async () => {
    expect(await answering('{"gitVersion":"v1.33.0"}').raw("GET", "/version")).toEqual({ gitVersion: "v1.33.0" });
  });

  it("counts as no answer when its end got lost", async () => {
    const failure = answering('{"gitVersion":"v1.').raw("GET", "/version");

    await expect(failure).rejects.toSatisfy(isUnreachable);
    await expect(failure).rejects.toThrow("no answer to GET /version: its body is no JSON, or not all of it came");
  });

  it("counts as no answer in discovery, too", async () => {
    await expect(answering('{"items":[{"metad').mapper.find("v1", "Pod")).rejects.toSatisfy(isUnreachable);
  });
});
