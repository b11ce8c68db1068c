// When a running container answers its probes. Pure.
import type { ContainerRuntime } from "./pod-runtime.ts";
import type { Container, Probe } from "./pod-spec.ts";

const DEFAULT_PERIOD_S = 10;
const DEFAULT_FAILURES = 3;

interface Probed {
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

/** When the kubelet gives a container up that answers too late, by its startup or liveness probe; undefined if never. */
export function probeFailure(
  { startupProbe, livenessProbe }: Container,
  startedAtMs: number,
  answersAtMs: number,
): { readonly atMs: number; readonly probe: "Startup" | "Liveness" } | undefined {
  const probe = startupProbe ?? livenessProbe;
  if (probe === undefined) return undefined;
  const { initialDelaySeconds = 0, periodSeconds = DEFAULT_PERIOD_S, failureThreshold = DEFAULT_FAILURES } = probe;
  const atMs = startedAtMs + (initialDelaySeconds + (failureThreshold - 1) * periodSeconds) * 1_000;
  if (answersAtMs <= atMs) return undefined;
  return { atMs, probe: startupProbe === undefined ? "Liveness" : "Startup" };
}

/** When the readiness probe is asked first, and fails; undefined when there is none, or the container answers by then. */
export function firstUnreadyMs(runtime: ContainerRuntime, answersAtMs: number): number | undefined {
  const { run, container } = runtime;
  const { readinessProbe } = container;
  if (run === undefined || readinessProbe === undefined) return undefined;
  const startedAtMs = probed(runtime, answersAtMs)?.startedAtMs ?? run.startedAtMs;
  const firstMs = Math.max(run.startedAtMs + (readinessProbe.initialDelaySeconds ?? 0) * 1_000, startedAtMs);
  return firstMs < answersAtMs ? firstMs : undefined;
}

/** What a probe of a container that does not answer says, as the kubelet tells it. */
export function probeFailureMessage(name: "Startup" | "Liveness" | "Readiness", probe: Probe, ip: string): string {
  const { httpGet, tcpSocket, grpc } = probe;
  const refused = (port: number | string | undefined): string => `dial tcp ${ip}:${port}: connect: connection refused`;
  const output =
    httpGet !== undefined
      ? `Get "${(httpGet.scheme ?? "HTTP").toLowerCase()}://${ip}:${httpGet.port}${httpGet.path ?? "/"}": ${refused(httpGet.port)}`
      : tcpSocket !== undefined
        ? refused(tcpSocket.port)
        : grpc !== undefined
          ? `timeout: failed to connect service "${ip}:${grpc.port}" within 1s: context deadline exceeded`
          : "";
  return `${name} probe failed: ${output}`;
}
