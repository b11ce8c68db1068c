// A member for tests: an HTTPS server that records what reaches it and answers as told.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../../../runtime/clock.ts";
import { ensureCertificates } from "../../apiserver/http/certificates.ts";

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<NodeJS.Dict<string | string[]>>;
  /** Header lines as they came, names and values in turn. */
  readonly raw: readonly string[];
  readonly body: string;
}

export interface RecordingMember {
  readonly url: string;
  readonly caPem: string;
  /** Requests in the order of their arrival, access reviews of the proxy itself left out. */
  readonly requests: RecordedRequest[];
  /** Answers requests once their body is read; by default 200 with `{}`. */
  answer: (request: RecordedRequest, response: ServerResponse, incoming: IncomingMessage) => void;
  /** Answers before the body is read, in place of `answer`. */
  stream: ((incoming: IncomingMessage, response: ServerResponse) => void) | undefined;
  upgrade: (request: IncomingMessage, socket: Duplex) => void;
  /** Whether the account may impersonate UIDs. */
  wholeIdentity: boolean;
  /** Forgets requests, and answers as in the beginning. */
  reset(): void;
  close(): Promise<void>;
}

const DEFAULTS: Pick<RecordingMember, "answer" | "stream" | "upgrade" | "wholeIdentity"> = {
  answer: (_request, response) => response.setHeader("content-type", "application/json").end("{}"),
  stream: undefined,
  upgrade: (_request, socket) => socket.destroy(),
  wholeIdentity: true,
};

/** Starts a member whose certificates are kept in `directory`. */
export async function startRecordingMember(directory: string): Promise<RecordingMember> {
  const certificates = await ensureCertificates(directory, ["127.0.0.1"], systemClock);
  const server = createServer({ key: certificates.server.key, cert: certificates.server.certificate });
  const requests: RecordedRequest[] = [];
  const member: RecordingMember = {
    url: "",
    caPem: certificates.caPem,
    requests,
    ...DEFAULTS,
    reset: () => {
      requests.length = 0;
      Object.assign(member, DEFAULTS);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", async (incoming: IncomingMessage, response: ServerResponse) => {
    if (member.stream !== undefined) {
      requests.push(recorded(incoming, ""));
      member.stream(incoming, response);
      return;
    }
    let body = "";
    for await (const chunk of incoming) body += String(chunk);
    if (incoming.url?.endsWith("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") === true) {
      response.writeHead(201).end(JSON.stringify({ status: { allowed: member.wholeIdentity } }));
      return;
    }
    const request = recorded(incoming, body);
    requests.push(request);
    member.answer(request, response, incoming);
  });
  server.on("upgrade", (request, socket) => {
    requests.push(recorded(request, ""));
    member.upgrade(request, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(member, { url: `https://127.0.0.1:${port}` });
}

function recorded(incoming: IncomingMessage, body: string): RecordedRequest {
  const { method = "", url = "", headers, rawHeaders } = incoming;
  return { method, url, headers, raw: rawHeaders, body };
}
