// What a node holds beside its Pods' containers: addresses and images. Made again from the Pods after a restart.
import type { KubeObject } from "../../../kube/object.ts";
import { addressesOf, addressNumber, addressText } from "./cidr.ts";
import { specOf } from "./pod-spec.ts";
import type { PodStatus } from "./pod-status-types.ts";

/** What a node remembers while Pods come and go, such as the images that it has. */
export class NodeMemory {
  readonly #images = new Set<string>();
  readonly #addresses: { readonly first: number; readonly count: number } | undefined;
  readonly #owners = new Map<number, string>();
  #next = 0;

  /** `podCidr` is where Pods of the node get their addresses; `pods` are those that are there already. */
  constructor(podCidr: string | undefined, pods: readonly KubeObject[]) {
    this.#addresses = podCidr === undefined ? undefined : addressesOf(podCidr);
    for (const pod of pods) this.#remember(pod);
  }

  hasImage(image: string): boolean {
    return this.#images.has(image);
  }

  keepImage(image: string): void {
    this.#images.add(image);
  }

  /** An address that no other Pod of the node has; undefined when there is none, or the node has no range. */
  allocate(podUid: string): string | undefined {
    const range = this.#addresses;
    if (range === undefined) return undefined;
    // The first addresses are those of the network itself and its bridge; the last is for broadcasts.
    const usable = range.count - 3;
    for (let tried = 0; tried < usable; tried++) {
      const offset = 2 + (this.#next++ % usable);
      const address = range.first + offset;
      if (this.#owners.has(address)) continue;
      this.#owners.set(address, podUid);
      return addressText(address);
    }
    return undefined;
  }

  release(ip: string | undefined, podUid: string): void {
    if (ip === undefined) return;
    const address = addressNumber(ip);
    if (this.#owners.get(address) === podUid) this.#owners.delete(address);
  }

  #remember(pod: KubeObject): void {
    const { phase, podIP, containerStatuses = [] } = (pod["status"] ?? {}) as PodStatus;
    const isOver = phase === "Succeeded" || phase === "Failed";
    if (podIP !== undefined && !isOver && specOf(pod).hostNetwork !== true) {
      this.#owners.set(addressNumber(podIP), pod.metadata.uid ?? "");
      const range = this.#addresses;
      if (range !== undefined) this.#next = Math.max(this.#next, addressNumber(podIP) - range.first - 1);
    }
    const ran = new Set(containerStatuses.filter((each) => each.containerID !== undefined).map(({ name }) => name));
    for (const { name, image } of specOf(pod).containers)
      if (ran.has(name) && image !== undefined) this.#images.add(image);
  }
}
