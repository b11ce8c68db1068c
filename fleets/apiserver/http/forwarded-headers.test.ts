import { describe, expect, it } from "vitest";
import { forwardedRequestHeaders, forwardedResponseHeaders, headerNamePart, headerValue } from "./forwarded-headers.ts";

describe("forwardedRequestHeaders", () => {
  it("passes what belongs to the message", () => {
    const headers = {
      accept: "application/json",
      "content-type": "application/yaml",
      "user-agent": "kubectl/v1",
      "audit-id": "1",
      "x-stream-protocol-version": "v4.channel.k8s.io",
    };

    expect(forwardedRequestHeaders(headers)).toEqual(headers);
  });

  it.each([
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "impersonate-user",
    "impersonate-group",
    "impersonate-uid",
    "impersonate-extra-scopes",
    "impersonate_user",
    "x-remote-user",
    "x-remote-uid",
    "x-remote-extra-scopes",
    "x_remote_user",
    "x-forwarded-for",
  ])("keeps %s back", (name) => {
    expect(forwardedRequestHeaders({ [name]: "a", accept: "b" })).toEqual({ accept: "b" });
  });

  it("keeps back what the connection names as its own", () => {
    expect(forwardedRequestHeaders({ connection: "close, X-Mine", "x-mine": "a", "x-other": "b" })).toEqual({
      "x-other": "b",
    });
  });

  it("takes a token out of the WebSocket protocols", () => {
    const protocols = "base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io";

    expect(forwardedRequestHeaders({ "sec-websocket-protocol": protocols })).toEqual({
      "sec-websocket-protocol": "v5.channel.k8s.io",
    });
    expect(
      forwardedRequestHeaders({ "sec-websocket-protocol": "base64url.bearer.authorization.k8s.io.c2VjcmV0" }),
    ).toEqual({});
  });
});

describe("forwardedResponseHeaders", () => {
  it("passes all but what belongs to the connection", () => {
    const headers = {
      connection: "keep-alive, x-hop",
      "keep-alive": "timeout=5",
      "x-hop": "a",
      "transfer-encoding": "chunked",
      "content-type": "application/json",
      warning: ["299 - a", "299 - b"],
    };

    expect(forwardedResponseHeaders(headers)).toEqual({
      "content-type": "application/json",
      warning: ["299 - a", "299 - b"],
    });
  });
});

describe("headerValue", () => {
  it("is the bytes of the text", () => {
    expect(Buffer.from(headerValue("Zoë")!, "latin1").toString("utf8")).toBe("Zoë");
  });

  it.each(["a\r\nImpersonate-User: root", "a\nb", "a\0b", "\x7f"])("refuses %j", (text) => {
    expect(headerValue(text)).toBeUndefined();
  });
});

describe("headerNamePart", () => {
  it("escapes what no name may hold, and itself", () => {
    expect(headerNamePart("example.org/Scopes %:é")).toBe("example.org%2Fscopes%20%25%3A%C3%A9");
  });
});
