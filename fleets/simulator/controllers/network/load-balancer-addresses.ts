// The addresses that a cluster's load balancers get.
import { fnv1a32 } from "../../../../kube/hash.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import type { World } from "../../kernel/controller.ts";

/** Shared address space of carriers: no network of users is there. Four million addresses. */
const FIRST = 0x64400000;
const BITS = 22;
/** Each cluster begins at a place of its own, by its name. */
const BLOCK = 16;

/** How long it takes until a load balancer is there. */
export function loadBalancerDelayMs({ traits }: World): number {
  return traits.loadBalancerAfterMs ?? 1_000;
}

/** The address of the cluster's Ingress controller: the first of its range. */
export function ingressAddress(world: World): string {
  return addressAt(world, 0);
}

/** The lowest address of the range that no load balancer has. */
export function freeAddress(world: World): string {
  const taken = new Set(world.state.list("services").flatMap(addressesOf));
  for (let index = 1; ; index++) {
    const address = addressAt(world, index);
    if (!taken.has(address)) return address;
  }
}

/** The addresses in an object's status. */
export function addressesOf(object: KubeObject): string[] {
  const { loadBalancer } = (object["status"] ?? {}) as { loadBalancer?: { ingress?: readonly { ip?: string }[] } };
  return (loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}

function addressAt({ traits }: World, index: number): string {
  const range = traits.loadBalancerRange;
  const number = range === undefined ? FIRST + ((placeOf(traits.name) + index) % 2 ** BITS) : rangeStart(range) + index;
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

function placeOf(name: string): number {
  return (fnv1a32(name) % (2 ** BITS / BLOCK)) * BLOCK;
}

/** The first address of `10.1.0.0/24`, or of `10.1.0.0`. */
function rangeStart(range: string): number {
  const parts = (range.split("/")[0] ?? "").split(".").map(Number);
  return parts.reduce((number, part) => number * 256 + part, 0);
}
