import type { Clock } from "../../runtime/clock.ts";

/**
 * Real time for commands that wait. Its timers keep the process alive, which those of the system clock do not: a
 * command that waits for something to come about has nothing else to do meanwhile.
 */
export const commandClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
