import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";
import { verifyBackup, writeBackup } from "./backup.ts";
import { certificatesIn, databaseIn } from "./data-folder.ts";
import { restoreBackup } from "./restore.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
let folder: string;
let data: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-backup-"));
  data = join(folder, "data");
  file = join(folder, "one.backup");
  mkdirSync(certificatesIn(data), { recursive: true });
  writeFileSync(join(certificatesIn(data), "ca.key"), "a private key");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openServer(dataFolder = data): Promise<TestServer> {
  return startTestServer({ database: databaseIn(dataFolder), authorization: "rbac" });
}

function backup(force = false) {
  return writeBackup(data, file, { force, nowMs: NOW });
}

function restore(target: string, options: { force?: boolean; bumpRevision?: number } = {}) {
  return restoreBackup(file, target, { force: false, bumpRevision: 1000, nowMs: NOW, ...options });
}

async function names({ call }: TestServer): Promise<string[]> {
  const { body } = await call("GET", CONFIG_MAPS);
  return body["items"]!.map((item) => String(item["metadata"]!["name"])).filter((name) => name !== "kube-root-ca.crt");
}

describe("writeBackup", () => {
  it("takes what is committed while a server goes on writing, private to its owner", async () => {
    const test = await openServer();
    await test.call("POST", CONFIG_MAPS, configMap("before"));
    const { body } = await test.call("GET", CONFIG_MAPS);

    const summary = backup();
    await test.call("POST", CONFIG_MAPS, configMap("after"));
    await test.server.close();

    expect(summary).toMatchObject({
      file,
      taken: "2026-01-02T03:04:05Z",
      revision: Number(body["metadata"]!["resourceVersion"]),
      bytes: statSync(file).size,
      certificates: ["ca.key"],
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(["data", "one.backup"]);
    restore(join(folder, "other"));
    const other = await openServer(join(folder, "other"));
    expect(await names(other)).toEqual(["before"]);
    await other.server.close();
  });

  it("replaces no file unless told to, and none at all when it fails", async () => {
    const test = await openServer();
    await test.server.close();
    writeFileSync(file, "mine");

    expect(() => backup()).toThrow(/one.backup exists: choose another name, or replace it with --force/);
    expect(backup(true).revision).toBeGreaterThan(1);
    const good = readFileSync(file);
    rmSync(databaseIn(data));
    expect(() => backup(true)).toThrow(/there is no store at/);
    expect(readFileSync(file).equals(good)).toBe(true);
    expect(existsSync(`${file}.partial`)).toBe(false);
  });

  it("makes no backup of a damaged store", async () => {
    const test = await openServer();
    await test.call("POST", CONFIG_MAPS, configMap("a", { value: "original" }));
    await test.server.close();
    const content = readFileSync(databaseIn(data));
    content.write("O", content.lastIndexOf("original"));
    writeFileSync(databaseIn(data), content);

    expect(() => backup()).toThrow(/configmaps default\/a: is not what was written/);
    expect(existsSync(file)).toBe(false);
  });
});

describe("verifyBackup", () => {
  it.each<[string, string]>([
    ["of a certificate", "a private key"],
    ["of the store's own settings", "BEGIN PRIVATE KEY"],
  ])("notices a changed byte %s", async (_what, text) => {
    await (await openServer()).server.close();
    backup();
    const content = readFileSync(file);
    content.write("X", content.lastIndexOf(text) + 3);
    writeFileSync(file, content);

    expect(() => verifyBackup(file)).toThrow(/cannot be used/);
  });
});

describe("restoreBackup", () => {
  it("raises the revision, so that clients of the time after the backup list again", async () => {
    const test = await openServer();
    const { revision } = backup();
    await test.call("POST", CONFIG_MAPS, configMap("lost"));
    const seen = Number((await test.call("GET", CONFIG_MAPS)).body["metadata"]!["resourceVersion"]);
    await test.server.close();

    const result = restore(data, { force: true });

    expect(result).toMatchObject({ revision: revision + 1000, dataFolder: data });
    const restored = await openServer();
    expect(await names(restored)).toEqual([]);
    const expired = await restored.call("GET", `${CONFIG_MAPS}?resourceVersion=${seen}&resourceVersionMatch=Exact`);
    expect(expired.status).toBe(410);
    const made = await restored.call("POST", CONFIG_MAPS, configMap("new"));
    expect(Number(made.body["metadata"]!["resourceVersion"])).toBeGreaterThan(revision + 1000);
    await restored.server.close();
  });

  it("goes on counting from there after the next restart", async () => {
    await (await openServer()).server.close();
    backup();
    const { revision } = restore(data, { force: true });
    await (await openServer()).server.close();

    const again = await openServer();

    const { body } = await again.call("GET", CONFIG_MAPS);
    expect(Number(body["metadata"]!["resourceVersion"])).toBeGreaterThanOrEqual(revision);
    await again.server.close();
  });

  it("lets tokens and certificates of before hold", async () => {
    const test = await openServer();
    await test.call("POST", "/api/v1/namespaces/default/serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "robot" },
    });
    const path = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    const { body } = await test.call("POST", path, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {},
    });
    const token = String(body["status"]!["token"]);
    await test.server.close();
    backup();
    const target = join(folder, "other");

    restore(target);

    const restored = await openServer(target);
    expect((await restored.server.checkToken(token))?.name).toBe("system:serviceaccount:default:robot");
    await restored.server.close();
    const key = join(certificatesIn(target), "ca.key");
    expect(readFileSync(key, "utf8")).toBe("a private key");
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(statSync(databaseIn(target)).mode & 0o777).toBe(0o600);
    // The keys stand in their files only.
    expect(readFileSync(databaseIn(target)).includes("a private key")).toBe(false);
  });

  it("refuses a folder that a server runs on, and one with a store, which --force puts aside", async () => {
    const test = await openServer();
    backup();
    expect(() => restore(data, { force: true })).toThrow(/another program has the store .+ open/);
    await test.server.close();

    expect(() => restore(data)).toThrow(
      /has a store already \(store.db, .*pki\): choose another folder, or put it aside with --force/,
    );
    const { keptIn } = restore(data, { force: true });

    expect(keptIn).toBe(join(data, "before-restore-2026-01-02T030405"));
    expect(readdirSync(keptIn ?? "").filter((name) => !name.includes("-"))).toEqual(["pki", "store.db"]);
  });

  it("refuses a file that is no store, and touches nothing", () => {
    writeFileSync(file, "kind: Config\n".repeat(100));
    const target = join(folder, "other");

    expect(() => restore(target)).toThrow(/cannot be used: the file: file is not a database/);
    expect(existsSync(target)).toBe(false);
  });
});
