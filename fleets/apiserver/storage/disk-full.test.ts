import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import type { Change } from "./change-ring.ts";
import { Store } from "./store.ts";

const KILOBYTE = 1024;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-full-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openStore(maxBytes: number | undefined, onFatal: (error: unknown) => void = () => {}): Store {
  return new Store({
    clock: new FakeClock(),
    database: join(folder, "store.db"),
    synchronous: "normal",
    historyEvents: 100,
    maxBytes,
    onFatal,
  });
}

function key(name: string) {
  return { resource: "configmaps", namespace: "a", name };
}

function object(name: string, value: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "a", uid: `uid-${name}` },
    data: { value },
  };
}

describe("a store whose disk is full", () => {
  it("refuses the write, says why, and keeps what was there", async () => {
    let fatal: unknown;
    const store = openStore(256 * KILOBYTE, (error) => {
      fatal = error;
    });
    store.put(key("kept"), object("kept", "before"));
    await store.settled();
    const told: Change[] = [];
    store.subscribe("configmaps", (change) => told.push(change));

    store.put(key("kept"), object("kept", "after"));
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));

    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });
    expect(store.get(key("kept"))?.object["data"]).toEqual({ value: "before" });
    expect(store.get(key("large"))).toBeUndefined();
    expect(told).toEqual([]);
    expect(fatal).toBeUndefined();
    store.close();
  });

  it("goes on when a write fits again, with the revisions that the file has", async () => {
    const store = openStore(256 * KILOBYTE);
    store.put(key("kept"), object("kept", "1"));
    await store.settled();
    const before = store.revision;
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));
    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });

    store.put(key("kept"), object("kept", "2"));
    await store.settled();

    expect(store.revision).toBe(before + 1);
    store.close();
    const again = openStore(undefined);
    expect(again.get(key("kept"))?.object["data"]).toEqual({ value: "2" });
    expect(again.get(key("large"))).toBeUndefined();
    again.close();
  });

  it("takes back a removal that could not be written", async () => {
    const store = openStore(256 * KILOBYTE);
    const kept = store.put(key("kept"), object("kept", "1"));
    await store.settled();

    store.remove(kept);
    store.put(key("large"), object("large", "x".repeat(512 * KILOBYTE)));

    await expect(store.settled()).rejects.toMatchObject({ code: "store-disk-full" });
    expect(store.get(key("kept"))?.object["data"]).toEqual({ value: "1" });
    store.close();
  });
});
