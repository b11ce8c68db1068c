// The kinds that a server knows at the moment.
import type { KindStrategy } from "./kind.ts";

/** Kinds by group, version and plural. Custom resources come and go while the server runs. */
export class Registry {
  readonly #byPlural = new Map<string, KindStrategy>();
  readonly #groupVersions = new Map<string, number>();
  readonly #byStorage = new Map<string, KindStrategy[]>();
  readonly #listeners: (() => void)[] = [];
  #generation = 0;

  /** Grows with every change; caches of discovery and OpenAPI compare it. */
  get generation(): number {
    return this.#generation;
  }

  /** Calls back after each kind that comes or goes. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #changed(): void {
    this.#generation += 1;
    for (const listener of this.#listeners) listener();
  }

  add(kind: KindStrategy): void {
    const key = `${kind.group}/${kind.version}/${kind.plural}`;
    const present = this.#byPlural.get(key);
    if (present !== undefined) this.remove(present);
    this.#byPlural.set(key, kind);
    const groupVersion = `${kind.group}/${kind.version}`;
    this.#groupVersions.set(groupVersion, (this.#groupVersions.get(groupVersion) ?? 0) + 1);
    this.#byStorage.set(kind.storageKey, [...(this.#byStorage.get(kind.storageKey) ?? []), kind]);
    this.#changed();
  }

  remove(kind: KindStrategy): void {
    const key = `${kind.group}/${kind.version}/${kind.plural}`;
    if (this.#byPlural.get(key) !== kind) return;
    this.#byPlural.delete(key);
    const groupVersion = `${kind.group}/${kind.version}`;
    const count = (this.#groupVersions.get(groupVersion) ?? 1) - 1;
    if (count === 0) this.#groupVersions.delete(groupVersion);
    else this.#groupVersions.set(groupVersion, count);
    const others = (this.#byStorage.get(kind.storageKey) ?? []).filter((other) => other !== kind);
    if (others.length === 0) this.#byStorage.delete(kind.storageKey);
    else this.#byStorage.set(kind.storageKey, others);
    this.#changed();
  }

  find(group: string, version: string, plural: string): KindStrategy | undefined {
    return this.#byPlural.get(`${group}/${version}/${plural}`);
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.#groupVersions.has(`${group}/${version}`);
  }

  hasGroup(group: string): boolean {
    for (const key of this.#groupVersions.keys()) if (key.startsWith(`${group}/`)) return true;
    return false;
  }

  findKind(group: string, version: string, kind: string): KindStrategy | undefined {
    for (const each of this.#byPlural.values()) {
      if (each.kind === kind && each.group === group && each.version === version) return each;
    }
    return undefined;
  }

  /** The kinds whose instances are stored under `storageKey`, first registered first. */
  byStorage(storageKey: string): readonly KindStrategy[] {
    return this.#byStorage.get(storageKey) ?? [];
  }

  all(): readonly KindStrategy[] {
    return [...this.#byPlural.values()];
  }
}

const VERSION = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/;

/** Kubernetes' order of versions: GA, beta, alpha, each with higher numbers first; other names after them. */
export function compareVersions(a: string, b: string): number {
  const left = VERSION.exec(a);
  const right = VERSION.exec(b);
  if (left === null || right === null) {
    if (left !== null || right !== null) return left !== null ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const stage = stageOf(right[2]) - stageOf(left[2]);
  if (stage !== 0) return stage;
  return Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0);
}

function stageOf(name: string | undefined): number {
  return name === undefined ? 2 : name === "beta" ? 1 : 0;
}
