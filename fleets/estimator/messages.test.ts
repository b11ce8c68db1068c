import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReplicaRequirements } from "../../api/work.ts";
import { ProtobufWriter } from "../apiserver/kinds/protobuf-writer.ts";
import {
  decodeCount,
  decodeReplicasRequest,
  decodeSetsRequest,
  decodeUnschedulableRequest,
  encodeCount,
  encodeReplicasRequest,
  encodeSetsRequest,
  encodeUnschedulableRequest,
  type PendingComponent,
  type PendingWorkload,
} from "./messages.ts";

interface Recorded {
  readonly ask: {
    readonly method: "replicas" | "sets" | "unschedulable";
    readonly cluster: string;
    readonly requirements?: ReplicaRequirements;
    readonly namespace?: string;
    readonly components?: readonly PendingComponent[];
    readonly assumed?: readonly PendingWorkload[];
    readonly resource?: { apiVersion: string; kind: string; namespace: string; name: string };
    readonly thresholdMs?: number;
  };
  /** What Karmada 1.18.2's own client sent for it, as hexadecimal digits. */
  readonly request: string;
}

const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, "testdata", "karmada-requests.json"), "utf8"),
) as readonly Recorded[];

function encode({ method, cluster, requirements, assumed = [], ...rest }: Recorded["ask"]): Uint8Array {
  switch (method) {
    case "replicas":
      return encodeReplicasRequest({ cluster, requirements, assumed });
    case "sets":
      return encodeSetsRequest({
        cluster,
        namespace: rest.namespace ?? "",
        components: rest.components ?? [],
        assumed,
      });
    case "unschedulable": {
      const workload = rest.resource ?? { apiVersion: "", kind: "", namespace: "", name: "" };
      return encodeUnschedulableRequest({ cluster, workload, thresholdMs: rest.thresholdMs ?? 0 });
    }
  }
}

describe("estimator messages", () => {
  it.each(RECORDED.map((recorded, index) => [index, recorded] as const))(
    "request %i is written as Karmada's client writes it, and reads back as it was",
    (_index, { ask, request }) => {
      const bytes = encode(ask);
      expect(Buffer.from(bytes).toString("hex")).toBe(request);

      const read = {
        replicas: decodeReplicasRequest,
        sets: decodeSetsRequest,
        unschedulable: decodeUnschedulableRequest,
      };
      const back = read[ask.method](bytes);
      expect(back.cluster).toBe(ask.cluster);
      // Writing what was read gives the same bytes again: nothing was lost.
      const again =
        "thresholdMs" in back
          ? encodeUnschedulableRequest(back)
          : "requirements" in back
            ? encodeReplicasRequest(back)
            : encodeSetsRequest(back);
      expect(Buffer.from(again).toString("hex")).toBe(request);
    },
  );

  it("reads what clients before Karmada 1.17 send: no bytes, only the old fields", () => {
    const toleration = new ProtobufWriter().text(1, "gpu").text(2, "Exists").text(3, "").text(4, "").finish();
    const bytes = new ProtobufWriter()
      .text(1, "member1")
      .message(2, (needs) =>
        needs
          .message(1, (claim) => claim.bytes(3, toleration))
          .message(2, (entry) => entry.text(1, "cpu").message(2, (quantity) => quantity.text(1, "250m"))),
      )
      .finish();

    expect(decodeReplicasRequest(bytes).requirements).toEqual({
      nodeClaim: { tolerations: [{ key: "gpu", operator: "Exists", value: "", effect: "" }] },
      resourceRequest: { cpu: "250m" },
    });
  });

  it("reads negative numbers as they are, and passes over fields it does not know", () => {
    const minusOne = Uint8Array.from([0x08, ...new Array<number>(9).fill(0xff), 0x01]);
    expect(decodeCount(minusOne)).toBe(-1);
    expect(decodeCount(new ProtobufWriter().text(9, "new").integer(1, 5).finish())).toBe(5);
    expect(decodeCount(encodeCount(2_147_483_647))).toBe(2_147_483_647);
    expect(decodeCount(encodeCount(0))).toBe(0);
    expect(decodeCount(new Uint8Array(0))).toBe(0);
  });

  it.each<[string, string]>([
    ["cut short", "0a07"],
    ["of a length that leads back", "12ffffffffffffffffff01"],
    ["with a number for a message", "1001"],
    ["with a number for a count", "0a0141"],
  ])("refuses a message %s", (_what, hex) => {
    const bytes = Buffer.from(hex, "hex");
    expect(() => [decodeCount(bytes), decodeReplicasRequest(bytes)]).toThrow(
      expect.objectContaining({ name: "ProtobufError" }),
    );
  });

  it("takes any garbage for a message or refuses it, and never fails otherwise", () => {
    let state = 17;
    const next = (): number => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return state >> 8;
    };
    for (let each = 0; each < 3_000; each++) {
      const bytes = Uint8Array.from({ length: next() % 60 }, () => next() & 0xff);
      for (const decode of [decodeReplicasRequest, decodeSetsRequest, decodeUnschedulableRequest, decodeCount]) {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: "ProtobufError" });
        }
      }
    }
  });
});
