// When a running container answers its probes. Pure.
import type { ContainerRuntime } from "./pod-runtime.ts";
import type { Probe } from "./pod-spec.ts";

const DEFAULT_PERIOD_S = 10;

export interface Probed {
  /** When the container counts as started, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** When it counts as ready. */
  readonly readyAtMs: number;
}

/**
 * When a container that answers from `answersAtMs` on counts as started and as ready. Probes are asked first after
 * their initial delay, then each period; the readiness probe waits for the startup probe.
 */
export function probed({ container, run }: ContainerRuntime, answersAtMs: number): Probed | undefined {
  if (run === undefined) return undefined;
  const { startupProbe, readinessProbe } = container;
  const started =
    startupProbe === undefined
      ? run.startedAtMs
      : successAt(startupProbe, run.startedAtMs, run.startedAtMs, answersAtMs);
  const ready =
    readinessProbe === undefined ? started : successAt(readinessProbe, run.startedAtMs, started, answersAtMs);
  return { startedAtMs: started, readyAtMs: ready };
}

/** The first round of a probe, not before `fromMs`, after which it has succeeded as often as it must. */
function successAt(probe: Probe, runningSinceMs: number, fromMs: number, answersAtMs: number): number {
  const { initialDelaySeconds = 0, periodSeconds = DEFAULT_PERIOD_S, successThreshold = 1 } = probe;
  const periodMs = periodSeconds * 1_000;
  // The kubelet asks as soon as a container is up, and then by its period.
  const firstMs = Math.max(runningSinceMs + initialDelaySeconds * 1_000, fromMs);
  const missed = Math.max(0, Math.ceil((answersAtMs - firstMs) / periodMs));
  return firstMs + (missed + successThreshold - 1) * periodMs;
}
