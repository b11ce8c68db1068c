// Refusals for clients that read nothing but protobuf.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject } from "../../../kube/object.ts";
import { ProtobufWriter } from "../kinds/protobuf-writer.ts";

const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** A refusal with its Status in protobuf in place of JSON; any other answer as it is. */
export function inProtobuf(answer: ApiResponse): ApiResponse {
  const status = answer.parsed;
  if (!isObject(status) || status["kind"] !== "Status") return answer;
  return {
    status: answer.status,
    headers: { ...answer.headers, "content-type": "application/vnd.kubernetes.protobuf" },
    // A Status is JSON data.
    body: encodeStatus(status as JsonObject),
  };
}

function encodeStatus(status: JsonObject): Uint8Array {
  const envelope = new ProtobufWriter()
    .message(1, (meta) => meta.text(1, "v1").text(2, "Status"))
    .message(2, (raw) => writeStatus(raw, status))
    .text(3, "")
    .text(4, "");
  return Buffer.concat([MAGIC, envelope.finish()]);
}

function writeStatus(out: ProtobufWriter, status: JsonObject): void {
  const { details } = status;
  out
    .message(1, (list) => list.text(1, "").text(2, "").text(3, ""))
    .text(2, textOf(status["status"]))
    .text(3, textOf(status["message"]))
    .text(4, textOf(status["reason"]));
  if (isObject(details)) out.message(5, (message) => writeDetails(message, details));
  out.integer(6, Number(status["code"] ?? 0));
}

function writeDetails(out: ProtobufWriter, details: Readonly<Record<string, unknown>>): void {
  out.text(1, textOf(details["name"])).text(2, textOf(details["group"])).text(3, textOf(details["kind"]));
  for (const cause of Array.isArray(details["causes"]) ? details["causes"] : []) {
    if (!isObject(cause)) continue;
    out.message(4, (message) =>
      message.text(1, textOf(cause["reason"])).text(2, textOf(cause["message"])).text(3, textOf(cause["field"])),
    );
  }
  out.integer(5, Number(details["retryAfterSeconds"] ?? 0)).text(6, textOf(details["uid"]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
