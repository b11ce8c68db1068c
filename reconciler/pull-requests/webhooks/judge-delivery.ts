// What follows from a delivery that has arrived whole.
import { createHash } from "node:crypto";
import type { Clock } from "../../../runtime/clock.ts";
import type { ForgeKind } from "../../forges/forge.ts";
import { readWebhook, type Webhook } from "../../forges/webhooks/read-webhook.ts";
import { isAbout, type WebhookEvent } from "../../forges/webhooks/webhook-event.ts";
import { Latest } from "./latest.ts";
import { Pace } from "./pace.ts";

export interface Delivery {
  readonly path: string;
  readonly kind: ForgeKind;
  /** Of which alone something follows: `owner/name`. */
  readonly repository: string;
  readonly secrets: readonly string[];
  readonly headers: Webhook["headers"];
  readonly body: Buffer;
}

/**
 * taken: something follows; ping: it was a try; ignored: nothing follows; repeated: it did before; refused: nobody is
 * believed; limited: too much at a time.
 */
export type VerdictName = "taken" | "ping" | "ignored" | "repeated" | "refused" | "limited";

export interface Verdict {
  readonly name: VerdictName;
  readonly status: number;
  /** For who looks at the provider's list of deliveries. */
  readonly text: string;
  /** Of a delivery that is taken. */
  readonly event?: WebhookEvent;
}

/** Deliveries of one path that are taken. A provider that sends more has its pull requests looked at by the interval. */
const TAKEN = { burst: 100, perSecond: 10 };
const MOST_PATHS = 1000;
/** Deliveries that are remembered, of all paths. */
const MOST_SEEN = 10_000;

/** Remembers what it took, so that a delivery is taken once. */
export class DeliveryJudge {
  readonly #clock: Clock;
  readonly #seen = new Latest<true>(MOST_SEEN);
  readonly #paces = new Latest<Pace>(MOST_PATHS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  judge({ path, kind, repository, secrets, headers, body }: Delivery): Verdict {
    const outcome = readWebhook({ kind, headers, body, secrets }, this.#clock.now());
    switch (outcome.type) {
      case "refused":
        return { name: "refused", status: outcome.status, text: outcome.reason };
      case "ignored":
        return { name: "ignored", status: 200, text: outcome.reason };
      case "ping":
        return { name: "ping", status: 200, text: "this webhook arrives, and is believed" };
      default:
    }
    if (!isAbout(outcome.repository, { repository })) {
      const other = JSON.stringify(outcome.repository.path.slice(0, 200));
      return { name: "ignored", status: 200, text: `it is about ${other}, and this path is for ${repository}` };
    }
    const delivery = deliveryKey(path, outcome.deliveryId, body);
    if (this.#seen.get(delivery) === true) return { name: "repeated", status: 200, text: "it was taken before" };
    if (!this.#paceOf(path).take()) return { name: "limited", status: 429, text: "too many deliveries at a time" };
    this.#seen.set(delivery, true);
    return { name: "taken", status: 202, text: "taken", event: outcome };
  }

  #paceOf(path: string): Pace {
    const known = this.#paces.get(path);
    if (known !== undefined) return known;
    const pace = new Pace(TAKEN, this.#clock);
    this.#paces.set(path, pace);
    return pace;
  }
}

/**
 * Most providers do not sign the id, so that who kept a delivery can send it under another: it wakes a look at the
 * present state, which finds nothing to do. A body alone does not tell: a branch may go back and forth.
 */
function deliveryKey(path: string, deliveryId: string, body: Buffer): string {
  const hash = createHash("sha256").update(`${path}\n${deliveryId}\n`);
  if (deliveryId === "") hash.update(body);
  return hash.digest("base64");
}
