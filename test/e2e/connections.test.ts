// Connections to the endpoint over the network, as other processes make them.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { consistently } from "./support/eventually.ts";
import { type Plane, startPlane } from "./support/plane.ts";

describe("connections", () => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: {} });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("stay out of the way when watches are given up before they begin", async () => {
    const uncaught: Error[] = [];
    const note = (error: Error): void => void uncaught.push(error);
    process.on("uncaughtException", note);
    const transport = await openHttpTransportFile(plane.kubeconfig);
    const abort = new AbortController();

    const watches = Array.from({ length: 20 }, () =>
      transport.send({ method: "GET", path: "/api/v1/namespaces?watch=true", signal: abort.signal }),
    );
    abort.abort(new Error("not needed any more"));
    await Promise.allSettled(watches);

    // Idle connections are closed after four seconds.
    await consistently(() => expect(uncaught).toEqual([]), { forMs: 4_500 });
    process.off("uncaughtException", note);
    await transport.close();
  });
});
