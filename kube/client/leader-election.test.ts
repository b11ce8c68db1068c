import { afterEach, describe, expect, it } from "vitest";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { FaultyTransport } from "../../fleets/simulator/faults/faulty-transport.ts";
import { SkewedClock } from "../../fleets/simulator/faults/skewed-clock.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import { KubeClient } from "./kube-client.ts";
import { DEFAULT_LEASE_TIMES, decideLease, LeaderElection, type LeaseSpec } from "./leader-election.ts";

const LEASE = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: "default", name: "flaghoist" };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startStore() {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "store", clock, logger: silentLogger });
  closers.push(() => server.close());
  const people = new KubeClient(server.handle);
  function candidate(identity: string) {
    const network = new FaultyTransport(server.handle, clock);
    const own = new SkewedClock(clock);
    const end = new AbortController();
    const election = new LeaderElection({
      client: new KubeClient(network.send),
      clock: own,
      logger: silentLogger,
      random: new Random(1),
      identity,
      namespace: LEASE.namespace,
      name: LEASE.name,
      ...DEFAULT_LEASE_TIMES,
    });
    const acquiring = election.acquire(end.signal).catch(() => {});
    closers.push(async () => {
      end.abort();
      await acquiring;
      await election.release();
    });
    return { election, network, clock: own };
  }
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) await clock.advance(Math.min(500, left));
  }
  const spec = async (): Promise<LeaseSpec> => (await people.get(LEASE))["spec"] as LeaseSpec;
  return { clock, server, people, candidate, pass, spec };
}

describe("LeaderElection", () => {
  it("takes a lease that nobody holds, and renews it", async () => {
    const { candidate, pass, spec } = await startStore();
    const one = candidate("one");

    await pass(30_000);

    expect(one.election.isLeader).toBe(true);
    expect(await spec()).toMatchObject({ holderIdentity: "one", leaseDurationSeconds: 15, leaseTransitions: 0 });
  });

  it("lets one of two act, and the other when the first gives the lease back", async () => {
    const { candidate, pass, spec } = await startStore();
    const one = candidate("one");
    await pass(1_000);
    const two = candidate("two");
    await pass(60_000);
    expect([one.election.isLeader, two.election.isLeader]).toEqual([true, false]);

    await one.election.release();
    await pass(5_000);

    expect([one.election.isLeader, two.election.isLeader]).toEqual([false, true]);
    expect(await spec()).toMatchObject({ holderIdentity: "two", leaseTransitions: 1 });
  });

  it("has a leader that does not reach the store stop before another one begins", async () => {
    const { clock, candidate, pass } = await startStore();
    const one = candidate("one");
    await pass(1_000);
    const two = candidate("two");
    await pass(5_000);
    one.network.setFault("hang");
    const acting: boolean[][] = [];

    for (let step = 0; step < 60; step++) {
      await clock.advance(500);
      acting.push([one.election.isLeader, two.election.isLeader]);
    }

    expect(acting.filter(([first, second]) => first && second)).toEqual([]);
    expect(acting.at(-1)).toEqual([false, true]);
    expect(one.election.lost.aborted).toBe(true);
  });

  it("counts a clock that jumped ahead, as after a pause, against the leader at once", async () => {
    const { candidate, pass } = await startStore();
    const one = candidate("one");
    await pass(1_000);

    one.clock.begin(11_000);

    expect(one.election.isLeader).toBe(false);
  });

  it("does not take the lease of a leader that renews it because of a jump of its own clock", async () => {
    const { candidate, pass } = await startStore();
    const one = candidate("one");
    await pass(1_000);
    const two = candidate("two");
    await pass(5_000);

    two.clock.begin(3_600_000);
    await pass(30_000);

    expect([one.election.isLeader, two.election.isLeader]).toEqual([true, false]);
  });

  it("ends a leader in time although its clock was set back", async () => {
    const { candidate, pass } = await startStore();
    const one = candidate("one");
    await pass(1_000);
    one.clock.begin(-3_600_000);
    one.network.setFault("down");

    await pass(12_000);

    expect(one.election.isLeader).toBe(false);
    expect(one.election.lost.aborted).toBe(true);
  });

  it("loses a lease that another one holds by now", async () => {
    const { people, candidate, pass } = await startStore();
    const one = candidate("one");
    await pass(1_000);

    const spec = { holderIdentity: "two", renewTime: "2026-01-01T00:00:09.000000Z" };
    await people.patch(LEASE, { spec }, "merge");
    await pass(4_000);

    expect(one.election.lost.aborted).toBe(true);
  });

  it("lets reads and dry runs pass for everybody, and writes for the leader alone", async () => {
    const { server, candidate, pass } = await startStore();
    const one = candidate("one");
    await pass(1_000);
    const two = candidate("two");
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default", name: "x" } };
    const [leader, other] = [one, two].map(({ election }) => new KubeClient(election.guarded(server.handle)));

    await expect(leader?.create(object)).resolves.toBeDefined();
    await expect(other?.find({ ...object, namespace: "default", name: "x" })).resolves.toBeDefined();
    await expect(
      other?.create({ ...object, metadata: { namespace: "default", name: "y" } }, { dryRun: true }),
    ).resolves.toBeDefined();
    await expect(other?.create(object)).rejects.toMatchObject({ code: "not-leader" });
  });
});

describe("decideLease", () => {
  const ours = { identity: "one", leaseDurationMs: 15_000 };

  it("waits for another holder as long as its record says, counted from when we saw it change", () => {
    const spec = { holderIdentity: "two", leaseDurationSeconds: 40, leaseTransitions: 3 };

    expect(decideLease({ spec, forMs: 39_999 }, ours, 0)).toEqual({ do: "wait", holder: "two" });
    expect(decideLease({ spec, forMs: 40_000 }, ours, 0)).toMatchObject({
      do: "write",
      spec: { holderIdentity: "one", leaseDurationSeconds: 15, leaseTransitions: 4 },
    });
  });

  it("keeps the time of acquiring, and counts no transition, when the lease is ours", () => {
    const acquireTime = "2026-01-01T00:00:00.000000Z";
    const seen = { spec: { holderIdentity: "one", acquireTime, leaseTransitions: 3 }, forMs: 0 };

    expect(decideLease(seen, ours, Date.UTC(2026, 0, 2))).toMatchObject({
      spec: { acquireTime, renewTime: "2026-01-02T00:00:00.000000Z", leaseTransitions: 3 },
    });
  });
});
