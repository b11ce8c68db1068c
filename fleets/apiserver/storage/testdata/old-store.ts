// Writes a store's file as programs with schema version 1 left it.
import { DatabaseSync } from "node:sqlite";

export function writeOldStore(path: string, names: readonly string[]): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode=WAL;
    CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS log(rev INTEGER PRIMARY KEY, res TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,
      type INTEGER NOT NULL, create_rev INTEGER NOT NULL, prev_rev INTEGER NOT NULL, uid TEXT NOT NULL, value BLOB);
    CREATE INDEX IF NOT EXISTS log_key ON log(res, ns, name, rev);
    INSERT INTO meta VALUES ('schema', 1), ('uid', 'old-uid');`);
  const insert = database.prepare("INSERT INTO log VALUES (?, 'configmaps', 'a', ?, ?, ?, ?, ?, ?)");
  let revision = 1;
  for (const name of names) {
    revision += 1;
    const metadata = { name, namespace: "a", uid: `uid-${name}`, resourceVersion: String(revision) };
    const value = Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { x: "1" } }));
    insert.run(revision, name, 1, revision, 0, `uid-${name}`, value);
  }
  insert.run(revision + 1, "gone", 2, 0, 0, "uid-gone", null);
  database.close();
}
