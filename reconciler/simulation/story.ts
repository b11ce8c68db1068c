// What a change of a Cluster or a binding means, in words for whoever follows a failure moment by moment.
import type { Cluster } from "../../api/cluster.ts";
import type { ResourceBinding } from "../../api/work.ts";
import { findCondition } from "../../kube/conditions.ts";

/** Something that happened, after so many milliseconds. */
export interface StoryLine {
  readonly afterMs: number;
  readonly words: string;
}

/** What happens, in the order of time. */
export class Story {
  readonly #lines: { readonly atMs: number; readonly words: string; readonly subject: string | undefined }[] = [];
  readonly #counts = new Map<string, number>();

  tell(atMs: number, words: string): void {
    this.#lines.push({ atMs, words, subject: undefined });
  }

  /** Tells how many replicas of a workload serve, when that has changed. Numbers that follow one another are one line. */
  count(atMs: number, subject: string, serving: number, desired: number): void {
    const known = this.#counts.get(subject);
    this.#counts.set(subject, serving);
    if (known === undefined || known === serving) return;
    if (this.#lines.at(-1)?.subject === subject) this.#lines.pop();
    this.#lines.push({ atMs, words: `${subject}: ${serving} of ${desired} serve`, subject });
  }

  /** What happened from then on. */
  since(fromMs: number): StoryLine[] {
    return this.#lines
      .filter(({ atMs }) => atMs >= fromMs)
      .map(({ atMs, words }) => ({ afterMs: atMs - fromMs, words }));
  }
}

/** `virginia-1 is not ready: cluster is not reachable`; what its taints are. Empty when nothing of that changed. */
export function clusterNews(before: Cluster | undefined, after: Cluster): string[] {
  const name = after.metadata.name ?? "";
  const news: string[] = [];
  const was = findCondition(before?.status?.conditions, "Ready");
  const is = findCondition(after.status?.conditions, "Ready");
  if (is !== undefined && is.status !== was?.status)
    news.push(is.status === "True" ? `${name} is ready` : `${name} is not ready: ${is.message ?? is.reason}`);
  for (const condition of after.status?.conditions ?? []) {
    if (condition.type === "Ready" || condition.type === "CompleteAPIEnablements") continue;
    const known = findCondition(before?.status?.conditions, condition.type);
    if (condition.status === "True" && known?.status !== "True")
      news.push(`${name}: ${condition.type}, ${condition.message ?? condition.reason}`);
  }
  const taints = (cluster: Cluster | undefined): Set<string> =>
    new Set((cluster?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`));
  const [had, has] = [taints(before), taints(after)];
  for (const taint of has) if (!had.has(taint)) news.push(`${name} is tainted ${taint}`);
  for (const taint of had) if (!has.has(taint)) news.push(`${name} is no longer tainted ${taint}`);
  return news;
}

/** Where replicas are ordered, which copies are kept for the time being, and what the scheduler says. */
export function bindingNews(before: ResourceBinding | undefined, after: ResourceBinding): string[] {
  const { kind, namespace, name } = after.spec.resource;
  const subject = `${kind} ${namespace === undefined || namespace === "" ? "" : `${namespace}/`}${name}`;
  const news: string[] = [];
  const tasksOf = (binding: ResourceBinding | undefined): string[] =>
    (binding?.spec.gracefulEvictionTasks ?? []).map((task) => task.fromCluster);
  const [had, has] = [tasksOf(before), tasksOf(after)];
  const evicted = has.filter((cluster) => !had.includes(cluster));
  if (evicted.length > 0) news.push(`${subject} leaves ${evicted.join(", ")}; the old copy stays for now`);
  const ordered = orders(before, after);
  if (ordered.length > 0) news.push(`${subject} is ordered: ${ordered.join(" · ")}`);
  const removed = had.filter((cluster) => !has.includes(cluster));
  const returned = removed.filter((cluster) => after.spec.clusters?.some((target) => target.name === cluster) === true);
  const gone = removed.filter((cluster) => !returned.includes(cluster));
  if (gone.length > 0) news.push(`${subject}: the old copy in ${gone.join(", ")} goes`);
  const scheduled = findCondition(after.status?.conditions, "Scheduled");
  const wasScheduled = findCondition(before?.status?.conditions, "Scheduled");
  if (scheduled?.status === "False" && scheduled.message !== wasScheduled?.message)
    news.push(`${subject} finds no place: ${scheduled.message ?? scheduled.reason}`);
  return news;
}

function orders(before: ResourceBinding | undefined, after: ResourceBinding): string[] {
  const replicas = (binding: ResourceBinding | undefined): Map<string, number> =>
    new Map((binding?.spec.clusters ?? []).map((target) => [target.name, target.replicas ?? 0]));
  const [had, has] = [replicas(before), replicas(after)];
  return [...new Set([...had.keys(), ...has.keys()])]
    .sort()
    .filter((name) => has.has(name) && has.get(name) !== had.get(name))
    .map((name) => `${name} ${had.get(name) ?? 0} → ${has.get(name)}`);
}
