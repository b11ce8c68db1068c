// Secrets that hold the token of a ServiceAccount: filled when they appear, gone when their account goes.
import { cloneJson, isObject, type JsonObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { ServerContext } from "../server-context.ts";
import type { StoredObject } from "../storage/stored-object.ts";

const SECRETS = "secrets";
const ACCOUNTS = "serviceaccounts";
const TYPE = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
const ACCOUNT_UID = "kubernetes.io/service-account.uid";

/** Keeps the Secrets filled from now on. The answer refills all, for a certificate authority that became known. */
export function startTokenSecrets(server: ServerContext): { refill(): void } {
  const { store } = server;
  function guarded(secret: StoredObject): void {
    try {
      fill(server, secret);
    } catch (error) {
      const object = `v1 Secret ${secret.namespace}/${secret.name}`;
      server.logger.warn("failed to fill the token of a service account", { object, error: messageOf(error) });
    }
  }
  function refill(): void {
    for (const secret of [...store.list(SECRETS)]) guarded(secret);
  }
  store.subscribe(SECRETS, ({ type, object }) => {
    // Not within the write: its answer is what the client sent.
    if (type !== "DELETED" && object.object["type"] === TYPE) setImmediate(() => refillOne(object));
  });
  store.subscribe(ACCOUNTS, ({ type, object }) => {
    if (type === "DELETED") setImmediate(() => removeOf(object));
  });
  function refillOne({ namespace, name }: StoredObject): void {
    const secret = store.get({ resource: SECRETS, namespace, name });
    if (secret !== undefined && !server.closing.aborted) guarded(secret);
  }
  function removeOf(account: StoredObject): void {
    if (server.closing.aborted) return;
    for (const secret of [...store.list(SECRETS, account.namespace)]) {
      if (accountOf(secret) === account.name) guarded(secret);
    }
  }
  refill();
  return { refill };
}

function accountOf(secret: StoredObject): string | undefined {
  return secret.object["type"] === TYPE ? secret.object.metadata.annotations?.[ACCOUNT_NAME] : undefined;
}

/** Fills one Secret, or removes it when its account is gone or is another of the same name. */
function fill(server: ServerContext, secret: StoredObject): void {
  const name = accountOf(secret);
  const { store } = server;
  if (name === undefined || secret.object.metadata.deletionTimestamp !== undefined) return;
  const account = store.get({ resource: ACCOUNTS, namespace: secret.namespace, name });
  const uid = secret.object.metadata.annotations?.[ACCOUNT_UID] ?? "";
  if (account === undefined || (uid !== "" && uid !== account.uid)) {
    if ((secret.object.metadata.finalizers ?? []).length === 0) store.remove(secret);
    return;
  }
  const data: JsonObject = isObject(secret.object["data"]) ? { ...(secret.object["data"] as JsonObject) } : {};
  const wanted: Record<string, string> = {
    namespace: base64(secret.namespace),
    ...(server.caPem === "" ? {} : { "ca.crt": base64(server.caPem) }),
  };
  const hasToken = typeof data["token"] === "string" && data["token"] !== "" && uid === account.uid;
  if (hasToken && Object.entries(wanted).every(([key, value]) => data[key] === value)) return;
  if (!hasToken) wanted["token"] = base64(server.tokens.issueForSecret(account, secret.name));
  const updated = cloneJson(secret.object);
  updated["data"] = { ...data, ...wanted };
  updated.metadata.annotations = { ...updated.metadata.annotations, [ACCOUNT_UID]: account.uid };
  store.put(secret, updated);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
