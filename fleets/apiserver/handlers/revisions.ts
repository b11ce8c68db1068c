// resourceVersion parameters and continue tokens.
import { posix } from "node:path";
import { quoteGo } from "../../../kube/go-text.ts";
import { isObject, type Json, type JsonObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { badRequest, statusError, tooLargeResourceVersion } from "../registry/status-error.ts";
import { jsonType } from "../request/body.ts";
import { parseJson } from "../request/json-parser.ts";
import type { ServerContext } from "../server-context.ts";
import { isWriteRefusal } from "../storage/errors.ts";
import type { Store } from "../storage/store.ts";

const WAIT_MS = 3000;

/** Reads a resourceVersion that must be a number. */
export function parseRevision(text: string): number {
  if (!/^[0-9]+$/.test(text)) {
    throw badRequest(`invalid resource version: ${badRevision(text)}`);
  }
  if (BigInt(text) >= 2n ** 64n)
    throw badRequest(`invalid resource version: ${badRevision(text, "value out of range")}`);
  return Number(text);
}

/** Why a text is no revision. */
export function badRevision(text: string, why = "invalid syntax"): string {
  const quoted = quoteGo(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
}

/** Waits until everything written is released, so that a read tells nothing a crash could take back. */
export async function settle(store: Store): Promise<void> {
  for (let pending = store.settled(); pending !== undefined; pending = store.settled()) {
    try {
      await pending;
    } catch (error) {
      // Writes of others that the disk refused are taken back by now: there is nothing to wait for.
      if (!isWriteRefusal(error)) throw error;
    }
  }
}

/** Waits a moment for the store to reach `revision`; then 504. */
export async function awaitRevision(server: ServerContext, revision: number): Promise<void> {
  const { store, clock } = server;
  if (revision <= store.revision) return;
  const reached = await new Promise<boolean>((resolve) => {
    const timer = clock.after(WAIT_MS, () => {
      unsubscribe();
      resolve(false);
    });
    const unsubscribe = store.subscribeAll((change) => {
      if (change.revision < revision) return;
      unsubscribe();
      timer.cancel();
      resolve(true);
    });
  });
  if (!reached) throw tooLargeResourceVersion(revision, store.revision);
}

/** Where a paged list goes on: after `after` (`namespace/name`), as of `revision`; -1 means as of now. */
export interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

export function formatContinue(token: ContinueToken): string {
  // As the reference: a key begins with no slash, so one without any belongs to a kind without namespaces.
  const start = `${token.after.replace(/^\//, "")}\u0000`;
  const json = JSON.stringify({ v: "meta.k8s.io/v1", rv: token.revision, start });
  return Buffer.from(json).toString("base64url");
}

function invalidToken(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

export function parseContinue(text: string): ContinueToken {
  const illegal = text.search(/[^A-Za-z0-9_-]/);
  const at = illegal >= 0 ? illegal : text.length % 4 === 1 ? text.length - 1 : -1;
  if (at >= 0) throw invalidToken(`illegal base64 data at input byte ${at}`);
  const token = readToken(Buffer.from(text, "base64url").toString());
  if (token.v !== "meta.k8s.io/v1") throw invalidToken(`server does not recognize this encoded version ${token.v}`);
  if (token.rv === 0) throw invalidToken("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (token.start === "") throw invalidToken("encoded start key empty (version meta.k8s.io/v1)");
  // A forged key must not lead out of the resource.
  const normal = posix.normalize(`/${token.start}`).replace(/(.)\/$/, "$1");
  if (normal !== `/${token.start}`) throw invalidToken(token.start);
  const start = token.start.endsWith("\u0000") ? token.start.slice(0, -1) : token.start;
  return { revision: token.rv, after: start.includes("/") ? start : `/${start}` };
}

/** The fields of a token, read as Go reads them: absent ones are zero, wrong types are refused by name. */
function readToken(text: string): { readonly v: string; readonly rv: number; readonly start: string } {
  let value: Json;
  try {
    ({ value } = parseJson(text, true));
  } catch (error) {
    throw invalidToken(messageOf(error));
  }
  const cannot = "json: cannot unmarshal";
  if (value !== null && !isObject(value))
    throw invalidToken(`${cannot} ${jsonType(value)} into Go value of type storage.continueToken`);
  const { v = "", rv = 0, start = "" } = (value ?? {}) as JsonObject;
  const wrong = (field: string, found: Json, type: string): Error =>
    invalidToken(`${cannot} ${jsonType(found)} into Go struct field continueToken.${field} of type ${type}`);
  if (typeof v !== "string") throw wrong("v", v, "string");
  if (typeof rv !== "number" && typeof rv !== "bigint") throw wrong("rv", rv, "int64");
  if (!Number.isSafeInteger(Number(rv))) {
    throw invalidToken(`${cannot} number ${String(rv)} into Go struct field continueToken.rv of type int64`);
  }
  if (typeof start !== "string") throw wrong("start", start, "string");
  return { v, rv: Number(rv), start };
}

/** 410 with a token that goes on from the same place at the present state. */
export function continueExpired(after: string): Error {
  const error = statusError(
    410,
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
  );
  error.status["metadata"] = { continue: formatContinue({ revision: -1, after }) };
  return error;
}
