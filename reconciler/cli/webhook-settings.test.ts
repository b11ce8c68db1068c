import { describe, expect, it } from "vitest";
import type { Invocation } from "./command.ts";
import { readWebhookSettings } from "./webhook-settings.ts";

function read(values: Invocation["values"]): ReturnType<typeof readWebhookSettings> {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/srv" };
  const signal = new AbortController().signal;
  return readWebhookSettings({ positionals: [], values, io, signal, runCommand: async () => 0 });
}

describe("the options for webhooks", () => {
  it("open no port by default", () => {
    expect(read({})).toBeUndefined();
  });

  it.each([
    ["9292", "127.0.0.1", 9292],
    ["0", "127.0.0.1", 0],
    ["0.0.0.0:9292", "0.0.0.0", 9292],
    ["[::]:9292", "::", 9292],
    ["hooks.example:80", "hooks.example", 80],
  ])("read the address %s", (text, host, port) => {
    expect(read({ "webhook-listen": text })).toEqual({ host, port, tls: undefined });
  });

  it.each(["", "a", ":9292", "65536", "::1:9292", "[a]:1", "http://a:1", "1.2.3.4:", "-1"])(
    "refuse the address %j",
    (text) => {
      expect(() => read({ "webhook-listen": text })).toThrow(
        `--webhook-listen takes PORT or HOST:PORT such as 9292, 0.0.0.0:9292 or [::]:9292, not "${text}"`,
      );
    },
  );

  it("take a certificate with its key, from where the command runs", () => {
    expect(
      read({ "webhook-listen": "9292", "webhook-tls-cert": "tls.crt", "webhook-tls-key": "/etc/tls.key" })?.tls,
    ).toEqual({ cert: "/srv/tls.crt", key: "/etc/tls.key" });
    expect(() => read({ "webhook-listen": "9292", "webhook-tls-cert": "tls.crt" })).toThrow("go together");
    expect(() => read({ "webhook-tls-cert": "tls.crt", "webhook-tls-key": "tls.key" })).toThrow("not given");
  });
});
