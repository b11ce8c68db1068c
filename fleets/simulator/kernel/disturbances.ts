// Faults inside a cluster, as its controllers meet them. Who sets them is `faults/`.

/** How containers of an image fail. */
export type ImageFault = "pull-fails" | "crashes";

/** What is wrong inside one cluster at the moment. */
export class Disturbances {
  readonly #nodesDown = new Set<string>();
  readonly #images = new Map<string, ImageFault>();
  /** Disks are so many times slower than usual: pulls and starts of containers take longer. */
  #diskSlowness = 1;
  readonly #listeners: (() => void)[] = [];

  /** Whether the node's kubelet is silent: no lease, no status, nothing starts or stops there. */
  isNodeDown(node: string): boolean {
    return this.#nodesDown.has(node);
  }

  /** How containers of the image fail; undefined when they do not. Patterns may end in `*`. */
  imageFault(image: string): ImageFault | undefined {
    for (const [pattern, fault] of this.#images) {
      const fits = pattern.endsWith("*") ? image.startsWith(pattern.slice(0, -1)) : image === pattern;
      if (fits) return fault;
    }
    return undefined;
  }

  get diskSlowness(): number {
    return this.#diskSlowness;
  }

  setNodeDown(node: string, down: boolean): void {
    if (down) this.#nodesDown.add(node);
    else this.#nodesDown.delete(node);
    this.#tell();
  }

  setImageFault(pattern: string, fault: ImageFault | undefined): void {
    if (fault === undefined) this.#images.delete(pattern);
    else this.#images.set(pattern, fault);
    this.#tell();
  }

  setDiskSlowness(factor: number): void {
    this.#diskSlowness = factor;
    this.#tell();
  }

  /** Calls `listener` whenever something begins, changes or ends. */
  subscribe(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
