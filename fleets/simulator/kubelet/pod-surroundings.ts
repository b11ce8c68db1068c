// What a Pod's node and cluster are like, for the functions that move its containers on.
import type { ContainerBehaviour } from "../kernel/behaviours.ts";
import type { ImageFault } from "../kernel/disturbances.ts";
import type { FindSource } from "./container-config.ts";
import type { ContainerRuntime } from "./pod-runtime.ts";

/** What a Pod's node and cluster are like at the moment. */
export interface PodSurroundings {
  readonly nowMs: number;
  behaviourOf(container: ContainerRuntime): ContainerBehaviour;
  /** From being wanted to running, milliseconds, of containers that no behaviour speaks of. */
  readonly startupMs: number;
  /** How long the containers of this Pod run by themselves; undefined when they run on. */
  readonly runsForMs: number | undefined;
  /** From TERM to the end, milliseconds, of containers that no behaviour speaks of. */
  readonly stopMs: number;
  imageFault(image: string): ImageFault | undefined;
  hasImage(image: string): boolean;
  keepImage(image: string): void;
  allocateIp(): string | undefined;
  readonly find: FindSource;
}
