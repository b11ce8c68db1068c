// resourceVersion parameters and continue tokens.
import { badRequest, statusError, tooLargeResourceVersion } from "../registry/status-error.ts";
import type { ServerContext } from "../server-context.ts";
import { isWriteRefusal } from "../storage/errors.ts";
import type { Store } from "../storage/store.ts";

const WAIT_MS = 3000;

/** Reads a resourceVersion that must be a number. */
export function parseRevision(text: string): number {
  if (!/^[0-9]+$/.test(text)) {
    throw badRequest(`invalid resource version: ${badRevision(text)}`);
  }
  return Number(text);
}

/** Why a text is no revision. */
export function badRevision(text: string): string {
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
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
  const json = JSON.stringify({ v: "meta.k8s.io/v1", rv: token.revision, start: `${token.after}\u0000` });
  return Buffer.from(json).toString("base64url");
}

function invalidToken(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

export function parseContinue(text: string): ContinueToken {
  const illegal = text.search(/[^A-Za-z0-9_-]/);
  const at = illegal >= 0 ? illegal : text.length % 4 === 1 ? text.length - 1 : -1;
  if (at >= 0) throw invalidToken(`illegal base64 data at input byte ${at}`);
  const json = Buffer.from(text, "base64url").toString();
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    // Each field is checked below.
    token = JSON.parse(json) as typeof token;
  } catch {
    const first = json[0];
    throw invalidToken(
      first === undefined
        ? "unexpected end of JSON input"
        : `invalid character '${first}' looking for beginning of value`,
    );
  }
  if (token.v !== "meta.k8s.io/v1")
    throw invalidToken(`server does not recognize this encoded version ${JSON.stringify(token.v)}`);
  if (typeof token.rv !== "number" || token.rv === 0) {
    throw invalidToken("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof token.start !== "string" || token.start === "") {
    throw invalidToken("encoded start key empty (version meta.k8s.io/v1)");
  }
  return { revision: token.rv, after: token.start.endsWith("\u0000") ? token.start.slice(0, -1) : token.start };
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
