// The search for a set of clusters that meets several spread constraints at once and has room enough.

import { groupAlike, type SameGroups, type SearchRequest } from "./same-groups.ts";
import type { SearchBudget } from "./search-budget.ts";
import type { GroupConstraint } from "./spread-groups.ts";

/** What the set must also meet. */
export interface Demands {
  /** Clusters that must be in the set. */
  readonly taken?: readonly number[];
  /** For each constraint, groups that must be in the set. */
  readonly required?: readonly ReadonlySet<number>[];
  /** For each constraint, the only groups that may be; undefined when all may. */
  readonly allowed?: readonly (ReadonlySet<number> | undefined)[];
  /** Replaces the request's. */
  readonly need?: number;
  readonly most?: number;
  readonly least?: number;
}

/**
 * Finds sets by trying, at each step, what the demand that is hardest to meet leaves open. Every set is reached unless the budget
 * ends the search, so that no answer with budget left means that there is no such set.
 */
export class SpreadSearch {
  readonly request: SearchRequest;
  readonly #budget: SearchBudget;
  readonly #classes: readonly SameGroups[];
  readonly #classOf = new Map<number, number>();
  /** Classes in a group, by constraint and group. */
  readonly #inGroup: readonly (readonly number[][])[];

  constructor(request: SearchRequest, budget: SearchBudget) {
    this.request = request;
    this.#budget = budget;
    this.#classes = groupAlike(request);
    for (const [index, { members }] of this.#classes.entries()) {
      for (const position of members) this.#classOf.set(position, index);
    }
    this.#inGroup = request.groups.constraints.map(({ names }) => names.map(() => []));
    for (const [index, { groups }] of this.#classes.entries()) {
      for (const [k, own] of groups.entries()) for (const group of own) this.#inGroup[k]?.[group]?.push(index);
    }
  }

  /** Whether the cluster is in a group of every constraint. */
  has(position: number): boolean {
    return this.#classOf.has(position);
  }

  /** Groups of the cluster, by constraint. */
  groupsOf(position: number): readonly (readonly number[])[] {
    return this.#classes[this.#classOf.get(position) ?? -1]?.groups ?? [];
  }

  /** A set as demanded, those that were `taken` first; undefined when there is none or the budget is spent. */
  find(demands: Demands = {}, looks?: number): readonly number[] | undefined {
    this.#budget.begin(looks);
    // To prepare a search costs as much as its first step.
    if (!this.#budget.spend(this.#classes.length)) return undefined;
    return new Attempt(this.request, this.#budget, this.#classes, {
      demands,
      classOf: this.#classOf,
      inGroup: this.#inGroup,
    }).run();
  }
}

interface AttemptOptions {
  readonly demands: Demands;
  readonly classOf: ReadonlyMap<number, number>;
  readonly inGroup: readonly (readonly number[][])[];
}

/** One search: the set so far, and what is still open. */
class Attempt {
  readonly #request: SearchRequest;
  readonly #budget: SearchBudget;
  readonly #classes: readonly SameGroups[];
  readonly #demands: Demands;
  readonly #inGroup: readonly (readonly number[][])[];
  readonly #need: number;
  readonly #least: number;
  readonly #most: number;
  /** Members in the set, by constraint and group; and how many groups have any. */
  readonly #counts: readonly Int32Array[];
  readonly #distinct: Int32Array;
  /** By class: how many of the roomiest members were looked at, and whether no more are taken. */
  readonly #next: Int32Array;
  readonly #closed: Uint8Array;
  readonly #taken: ReadonlySet<number>;
  readonly #set: number[] = [];
  #room = 0;
  #possible = true;

  constructor(
    request: SearchRequest,
    budget: SearchBudget,
    classes: readonly SameGroups[],
    { demands, classOf, inGroup }: AttemptOptions,
  ) {
    this.#request = request;
    this.#budget = budget;
    this.#classes = classes;
    this.#demands = demands;
    this.#inGroup = inGroup;
    this.#need = demands.need ?? request.need;
    this.#least = demands.least ?? request.least;
    this.#most = demands.most ?? request.most;
    this.#counts = request.groups.constraints.map(({ names }) => new Int32Array(names.length));
    this.#distinct = new Int32Array(request.groups.constraints.length);
    this.#next = new Int32Array(classes.length);
    this.#closed = Uint8Array.from(classes, ({ groups }) => Number(!isAllowed(groups, demands.allowed)));
    this.#taken = new Set(demands.taken ?? []);
    for (const position of demands.taken ?? []) {
      const index = classOf.get(position);
      if (index === undefined || this.#closed[index] === 1) this.#possible = false;
      else this.#add(position, index);
    }
    const over = request.groups.constraints.some(({ max }, k) => (this.#distinct[k] as number) > max);
    if (over || this.#set.length > this.#most || this.#least > this.#most) this.#possible = false;
  }

  run(): readonly number[] | undefined {
    return this.#possible && this.#search() ? [...this.#set] : undefined;
  }

  #add(position: number, index: number): void {
    this.#set.push(position);
    this.#room += this.#request.roomOf(position);
    for (const [k, groups] of (this.#classes[index] as SameGroups).groups.entries()) {
      const counts = this.#counts[k] as Int32Array;
      for (const group of groups) {
        if (counts[group] === 0) this.#distinct[k] = (this.#distinct[k] as number) + 1;
        counts[group] = (counts[group] as number) + 1;
      }
    }
  }

  #removeLast(index: number, roomBefore: number): void {
    this.#set.pop();
    this.#room = roomBefore;
    for (const [k, groups] of (this.#classes[index] as SameGroups).groups.entries()) {
      const counts = this.#counts[k] as Int32Array;
      for (const group of groups) {
        counts[group] = (counts[group] as number) - 1;
        if (counts[group] === 0) this.#distinct[k] = (this.#distinct[k] as number) - 1;
      }
    }
  }

  #search(): boolean {
    if (!this.#budget.spend(this.#classes.length * (1 + this.#counts.length) + 1)) return false;
    const open = this.#openClasses();
    const helpful = this.#helpfulOf(open);
    if (helpful === undefined) return true;
    if (this.#set.length >= this.#most || !this.#canEnd(open)) return false;
    // Where every further cluster is as good as another but for its room, the roomiest ones decide.
    if (helpful === open && open.every((index) => this.#newGroups(index) === 0)) return this.#fill(open);
    const choices = this.#byPromise(helpful);
    const closedHere: number[] = [];
    for (const index of choices) {
      const next = this.#next[index] as number;
      const position = this.#memberAt(index) as number;
      const room = this.#room;
      this.#next[index] = this.#placeAfter(index);
      this.#add(position, index);
      if (this.#search()) return true;
      this.#removeLast(index, room);
      this.#next[index] = next;
      if (this.#budget.isSpent) break;
      // Sets with another member of this class were all tried.
      this.#closed[index] = 1;
      closedHere.push(index);
    }
    for (const index of closedHere) this.#closed[index] = 0;
    return false;
  }

  /** Adds the roomiest clusters of these classes until there are enough; when that cannot be, none. */
  #fill(open: readonly number[]): boolean {
    const added: { readonly index: number; readonly next: number; readonly room: number }[] = [];
    while (this.#set.length < this.#least || this.#room < this.#need) {
      const index = this.#set.length < this.#most && this.#budget.spend(open.length) ? this.#roomiest(open) : undefined;
      if (index === undefined) {
        for (const step of added.reverse()) {
          this.#removeLast(step.index, step.room);
          this.#next[step.index] = step.next;
        }
        return false;
      }
      added.push({ index, next: this.#next[index] as number, room: this.#room });
      const position = this.#memberAt(index) as number;
      this.#next[index] = this.#placeAfter(index);
      this.#add(position, index);
    }
    return true;
  }

  /** Of these classes, the one whose next member is the roomiest. */
  #roomiest(open: readonly number[]): number | undefined {
    let best: number | undefined;
    let bestRoom = -1;
    for (const index of open) {
      const position = this.#memberAt(index);
      const room = position === undefined ? -1 : this.#request.roomOf(position);
      if (room <= bestRoom) continue;
      best = index;
      bestRoom = room;
    }
    return best;
  }

  /** The next member of a class that is not in the set. */
  #memberAt(index: number): number | undefined {
    const { members } = this.#classes[index] as SameGroups;
    let place = this.#next[index] as number;
    while (place < members.length && this.#taken.has(members[place] as number)) place++;
    return members[place];
  }

  #placeAfter(index: number): number {
    const { members } = this.#classes[index] as SameGroups;
    let place = this.#next[index] as number;
    while (this.#taken.has(members[place] as number)) place++;
    return place + 1;
  }

  /** How many groups a member of the class would add to the set. */
  #newGroups(index: number): number {
    let added = 0;
    for (const [k, groups] of (this.#classes[index] as SameGroups).groups.entries()) added += this.#newIn(k, groups);
    return added;
  }

  #newIn(k: number, groups: readonly number[]): number {
    const counts = this.#counts[k] as Int32Array;
    let added = 0;
    for (const group of groups) if (counts[group] === 0) added++;
    return added;
  }

  /** Classes of which another member may be added. */
  #openClasses(): number[] {
    const open: number[] = [];
    for (let index = 0; index < this.#classes.length; index++) if (this.#isOpen(index)) open.push(index);
    return open;
  }

  #isOpen(index: number): boolean {
    if (this.#closed[index] === 1 || this.#memberAt(index) === undefined) return false;
    const { groups } = this.#classes[index] as SameGroups;
    for (let k = 0; k < groups.length; k++) {
      const left = (this.#request.groups.constraints[k] as GroupConstraint).max - (this.#distinct[k] as number);
      const own = groups[k] as readonly number[];
      if (left < own.length && this.#newIn(k, own) > left) return false;
    }
    return true;
  }

  /** Of the open classes, those that meet the demand with the fewest ways to meet it; undefined when none is left. */
  #helpfulOf(open: readonly number[]): readonly number[] | undefined {
    const { constraints } = this.#request.groups;
    let fewest: readonly number[] | undefined;
    const consider = (ways: readonly number[]): void => {
      if (fewest === undefined || ways.length < fewest.length) fewest = ways;
    };
    for (const [k, constraint] of constraints.entries()) {
      const counts = this.#counts[k] as Int32Array;
      for (const group of this.#demands.required?.[k] ?? []) {
        if (counts[group] !== 0) continue;
        const classes = this.#inGroup[k]?.[group] as readonly number[];
        consider(classes.filter((index) => this.#isOpen(index)));
      }
      if ((this.#distinct[k] as number) < constraint.min) {
        consider(open.filter((index) => this.#newIn(k, this.#groupsAt(index, k)) > 0));
      }
    }
    if (fewest !== undefined) return fewest;
    return this.#set.length < this.#least || this.#room < this.#need ? open : undefined;
  }

  #groupsAt(index: number, k: number): readonly number[] {
    return (this.#classes[index] as SameGroups).groups[k] as readonly number[];
  }

  /** Whether the open classes could suffice at all. */
  #canEnd(open: readonly number[]): boolean {
    const { constraints } = this.#request.groups;
    const left = this.#most - this.#set.length;
    let room = this.#room;
    let members = this.#set.length;
    for (const index of open) {
      const { sums, members: all } = this.#classes[index] as SameGroups;
      const from = this.#next[index] as number;
      const to = Math.min(all.length, from + left);
      members += all.length - from;
      const added = (sums[to] as number) - (sums[from] as number);
      // Infinity less infinity: room that does not matter.
      room += Number.isNaN(added) ? Number.POSITIVE_INFINITY : added;
    }
    if (room < this.#need || members < this.#least) return false;
    if (this.#need > this.#room && Number.isFinite(room)) {
      if (!this.#roomiestSuffice(open, left) || !this.#groupsSuffice(open, left)) return false;
    }
    return constraints.every((constraint, k) => {
      const lacking = constraint.min - (this.#distinct[k] as number);
      if (lacking <= 0) return true;
      const reach = new Set<number>();
      let most = 0;
      for (const index of open) {
        const own = this.#groupsAt(index, k);
        for (const group of own) if ((this.#counts[k] as Int32Array)[group] === 0) reach.add(group);
        most = Math.max(most, this.#newIn(k, own));
      }
      return reach.size >= lacking && most * left >= lacking;
    });
  }

  /** Whether the roomiest groups, as many as may be added by each constraint, have the room that lacks. */
  #groupsSuffice(open: readonly number[], left: number): boolean {
    const lacking = this.#need - this.#room;
    for (const [k, { max, names }] of this.#request.groups.constraints.entries()) {
      const most = max - (this.#distinct[k] as number);
      if (most >= names.length) continue;
      const counts = this.#counts[k] as Int32Array;
      // What is in several new groups counts for one of them, which is more than it can bring.
      const rooms = new Float64Array(names.length);
      let free = 0;
      for (const index of open) {
        const { sums, members } = this.#classes[index] as SameGroups;
        const from = this.#next[index] as number;
        const room = (sums[Math.min(members.length, from + left)] as number) - (sums[from] as number);
        const own = this.#groupsAt(index, k).find((group) => counts[group] === 0);
        if (own === undefined) free += room;
        else rooms[own] = (rooms[own] as number) + room;
      }
      rooms.sort();
      for (let i = 0; i < most; i++) free += rooms[rooms.length - 1 - i] ?? 0;
      if (free < lacking) return false;
    }
    return true;
  }

  /** Whether the roomiest of all open clusters, as many as may be added, have the room that lacks. */
  #roomiestSuffice(open: readonly number[], left: number): boolean {
    let lacking = this.#need - this.#room;
    if (lacking <= 0) return true;
    const { roomOf } = this.#request;
    const heads = open.map((index) => this.#next[index] as number);
    // A merge of sorted lists; where there are many, the looser test above must do.
    if (open.length > 64 || left > 64) return true;
    for (let taken = 0; taken < left; taken++) {
      let best = -1;
      let bestRoom = -1;
      for (const [i, index] of open.entries()) {
        const position = (this.#classes[index] as SameGroups).members[heads[i] as number];
        if (position === undefined) continue;
        const room = roomOf(position);
        if (room > bestRoom) {
          best = i;
          bestRoom = room;
        }
      }
      if (best < 0) return false;
      heads[best] = (heads[best] as number) + 1;
      lacking -= bestRoom;
      if (lacking <= 0) return true;
    }
    return false;
  }

  /** Roomiest first; where room is equal, what brings more groups that are needed, then the one preferred. */
  #byPromise(indices: readonly number[]): number[] {
    const { roomOf } = this.#request;
    return indices
      .map((index) => ({ index, room: roomOf(this.#memberAt(index) as number), needed: this.#needed(index) }))
      .sort((a, b) => b.needed - a.needed || (a.room === b.room ? 0 : b.room - a.room) || a.index - b.index)
      .map(({ index }) => index);
  }

  #needed(index: number): number {
    let needed = 0;
    for (const [k, constraint] of this.#request.groups.constraints.entries()) {
      const required = this.#demands.required?.[k];
      const own = this.#groupsAt(index, k);
      const counts = this.#counts[k] as Int32Array;
      if (required !== undefined) for (const group of own) if (counts[group] === 0 && required.has(group)) needed++;
      const lacking = constraint.min - (this.#distinct[k] as number);
      if (lacking > 0) needed += Math.min(lacking, this.#newIn(k, own));
    }
    return needed;
  }
}

function isAllowed(groups: readonly (readonly number[])[], allowed: Demands["allowed"]): boolean {
  if (allowed === undefined) return true;
  return groups.every((own, k) => {
    const set = allowed[k];
    return set === undefined || own.every((group) => set.has(group));
  });
}
