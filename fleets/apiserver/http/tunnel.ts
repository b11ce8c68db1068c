// Connections that change their protocol: the answer is written by hand, and bytes pass through from then on.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ApiResponse } from "../../../kube/client/transport.ts";

const FLUSH_MS = 2_000;

type CommonHeaders = Readonly<Record<string, string>>;

/**
 * Answers a request that asked for another protocol, on the connection it came by. Without a tunnel in the answer, that
 * is an ordinary answer and the end of the connection. Resolves when the connection has ended.
 */
export async function answerUpgrade(
  socket: Duplex,
  head: Buffer,
  answer: ApiResponse,
  common: CommonHeaders,
): Promise<void> {
  const { tunnel } = answer;
  if (tunnel === undefined) return writeAnswer(socket, answer, common);
  socket.write(headerLines(101, { ...common, ...answer.headers, connection: "Upgrade" }));
  if (head.byteLength > 0) socket.unshift(head);
  await joinStreams(socket, tunnel);
}

/** Passes bytes both ways, each as fast as the other side reads, until both sides have closed. */
export async function joinStreams(a: Duplex, b: Duplex): Promise<void> {
  // Whoever hangs up breaks the other's connection: that is how sessions end, and no failure to tell of.
  for (const stream of [a, b]) stream.on("error", () => undefined);
  a.pipe(b);
  b.pipe(a);
  await Promise.all([closeAfter(a, b), closeAfter(b, a)]);
}

/** Closes `other` once `stream` is closed; what is still to be written gets its chance. */
async function closeAfter(stream: Duplex, other: Duplex): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once("close", resolve));
  if (other.closed) return;
  const timer = setTimeout(() => other.destroy(), FLUSH_MS);
  other.once("close", () => clearTimeout(timer));
  if (stream.errored !== null) other.destroy();
  else other.end(() => other.destroy());
}

async function writeAnswer(socket: Duplex, answer: ApiResponse, common: CommonHeaders): Promise<void> {
  const { "content-length": _length, ...headers } = answer.headers;
  socket.write(headerLines(answer.status, { ...common, ...headers, connection: "close" }));
  if (answer.body instanceof Uint8Array) {
    socket.end(answer.body);
    return;
  }
  try {
    await pipeline(answer.body, socket);
  } catch {
    socket.destroy();
  }
}

function headerLines(status: number, headers: ApiResponse["headers"]): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (const [name, value] of Object.entries(headers)) {
    for (const each of typeof value === "string" ? [value] : value) lines.push(`${name}: ${each}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
