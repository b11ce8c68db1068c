// get and list.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { Turn } from "../../../runtime/turn.ts";
import { badRequest, expired, notFound } from "../registry/status-error.ts";
import type { Exchange } from "../request/exchange.ts";
import { type ListOptions, readListOptions } from "../request/options.ts";
import { compareText } from "../storage/object-table.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { answerObject, type ListMeta } from "./answers.ts";
import { answerList } from "./list-answers.ts";
import { awaitRevision, continueExpired, formatContinue, parseContinue, parseRevision, settle } from "./revisions.ts";
import { readSelection, type Selection } from "./selection.ts";
import { servedForms } from "./served-forms.ts";

/** Objects that a selector looks at before the time is looked at. */
const LOOK_UP = 128;

/** The present object that the path names; 404 when there is none. */
export function requireObject(exchange: Pick<Exchange, "server" | "kind" | "target">): StoredObject {
  const { kind, target, server } = exchange;
  const name = target.name ?? "";
  const stored = server.store.get({ resource: kind.storageKey, namespace: target.namespace ?? "", name });
  if (stored === undefined) throw notFound({ group: kind.group, resource: kind.plural }, name);
  return stored;
}

export async function getObject(exchange: Exchange): Promise<ApiResponse> {
  const { server, query } = exchange;
  const revision = query.get("resourceVersion");
  await settle(server.store);
  if (revision !== undefined && revision !== "") await awaitRevision(server, parseRevision(revision));
  const { kind } = exchange;
  const stored = requireObject(exchange);
  if (kind.converter === undefined) return answerObject(exchange, 200, stored);
  const [form] = await servedForms(kind, [stored]);
  return answerObject(exchange, 200, form!);
}

export async function listObjects(exchange: Exchange): Promise<ApiResponse> {
  const options = readListOptions(exchange.query);
  const selection = readSelection(options, exchange.kind, undefined);
  await settle(exchange.server.store);
  if (options.continueToken !== "") return continueList(exchange, options, selection);
  const revision = options.resourceVersion === undefined ? 0 : parseRevision(options.resourceVersion);
  if (revision > 0) await awaitRevision(exchange.server, revision);
  // A page of a revision is a page of that revision.
  const pagesExactly = options.resourceVersionMatch === "" && options.limit > 0 && revision > 0;
  if (options.resourceVersionMatch === "Exact" || pagesExactly)
    return pageAt(exchange, options, selection, revision, undefined);
  // As the reference: a list from the cache comes whole.
  const paging = options.resourceVersion === "0" ? { ...options, limit: 0 } : options;
  const { store } = exchange.server;
  return page(exchange, paging, selection, currentObjects(exchange, selection), store.revision, undefined);
}

async function continueList(exchange: Exchange, options: ListOptions, selection: Selection): Promise<ApiResponse> {
  const token = parseContinue(options.continueToken);
  // As the reference: what the cache may answer comes whole.
  const paging = options.resourceVersion === "0" ? { ...options, limit: 0 } : options;
  if (options.resourceVersion !== undefined && options.resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  if (token.revision < 0) {
    const { store } = exchange.server;
    return page(exchange, paging, selection, currentObjects(exchange, selection), store.revision, token.after);
  }
  return pageAt(exchange, paging, selection, token.revision, token.after);
}

/** Present objects in the exchange's scope, before selectors; a pinned name saves walking through all. */
export function currentObjects(exchange: Exchange, selection: Selection): readonly StoredObject[] {
  const { kind, target, server } = exchange;
  if (selection.name !== undefined && (target.namespace !== undefined || !kind.namespaced)) {
    const key = { resource: kind.storageKey, namespace: target.namespace ?? "", name: selection.name };
    const only = server.store.get(key);
    return only === undefined ? [] : [only];
  }
  return server.store.list(kind.storageKey, target.namespace);
}

async function pageAt(
  exchange: Exchange,
  options: ListOptions,
  selection: Selection,
  revision: number,
  after: string | undefined,
): Promise<ApiResponse> {
  const { kind, target, server } = exchange;
  const objects =
    revision > server.store.revision ? undefined : server.store.listAt(revision, kind.storageKey, target.namespace);
  if (objects === undefined) {
    throw after === undefined
      ? expired("The resourceVersion for the provided list is too old.")
      : continueExpired(after);
  }
  return page(exchange, options, selection, objects, revision, after);
}

async function page(
  exchange: Exchange,
  options: ListOptions,
  selection: Selection,
  stored: readonly StoredObject[],
  revision: number,
  after: string | undefined,
): Promise<ApiResponse> {
  const { kind } = exchange;
  const resourceVersion = String(revision);
  const { matches } = selection;
  // Fields are those of the version that was asked for; names and labels are the same in all.
  const objects = selection.readsFields && kind.converter !== undefined ? await servedForms(kind, stored) : stored;
  const from = after === undefined ? 0 : firstAfter(objects, after);
  const limit = options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  if (matches === undefined) {
    const items = from === 0 && limit >= objects.length ? objects : objects.slice(from, from + limit);
    const next = from + items.length;
    if (next >= objects.length) return answerConverted(exchange, items, { resourceVersion });
    const meta = { resourceVersion, continue: tokenAfter(objects, next, revision) };
    return answerConverted(exchange, items, { ...meta, remainingItemCount: objects.length - next });
  }
  const items: StoredObject[] = [];
  const turn = new Turn();
  let end = from;
  // As the reference, which does not look whether what follows a full page matches.
  for (; end < objects.length && items.length < limit; end++) {
    if (end % LOOK_UP === 0 && turn.isOver) await turn.next();
    const object = objects[end]!;
    if (matches(object)) items.push(object);
  }
  return answerConverted(exchange, items, {
    resourceVersion,
    ...(end < objects.length ? { continue: tokenAfter(objects, end, revision) } : {}),
  });
}

/** Answers the objects in the version of the exchange's kind. */
async function answerConverted(
  exchange: Exchange,
  items: readonly StoredObject[],
  meta: ListMeta,
): Promise<ApiResponse> {
  const { kind } = exchange;
  return answerList(exchange, kind.converter === undefined ? items : await servedForms(kind, items), meta);
}

/** The token of the page that begins at `next`. */
function tokenAfter(objects: readonly StoredObject[], next: number, revision: number): string {
  const last = objects[next - 1]!;
  return formatContinue({ revision, after: `${last.namespace}/${last.name}` });
}

function firstAfter(objects: readonly StoredObject[], after: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { namespace, name } = objects[middle]!;
    if (compareText(`${namespace}/${name}`, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
