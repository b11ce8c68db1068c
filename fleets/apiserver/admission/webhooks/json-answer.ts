// The JSON of a webhook's answer, or what is wrong with it in the words of Go.
import { parseJson } from "../../../../kube/json.ts";
import type { CallAnswer } from "../../http/json-call.ts";
import { JsonSyntaxError, parseJson as parseStrictly } from "../../request/json-parser.ts";

/** The JSON of an answer; other answers are errors in the words of the reference's client. */
export function readJsonAnswer(answer: CallAnswer): unknown {
  if (answer.status < 200 || answer.status > 299) throw new Error(refusalText(answer));
  try {
    return parseJson(answer.text);
  } catch {
    throw new Error(`couldn't get version/kind; json parse error: ${goSyntaxError(answer.text)}`);
  }
}

/** Go's words for what is wrong with a text. */
export function goSyntaxError(text: string): string {
  try {
    parseStrictly(text, false);
    return "invalid JSON";
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}

const LONGEST_QUOTE = 1024;
const REFUSALS: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  403: "the server does not allow access to the requested resource",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};

function refusalText({ status, text }: CallAnswer): string {
  // Differs from Kubernetes, whose client follows redirects of a webhook.
  if (status >= 300 && status < 400) return `the server answered with a redirect (${status}), which is not followed`;
  const known = REFUSALS[status];
  if (known !== undefined) return known;
  const quoted = JSON.stringify(text.trim().slice(0, LONGEST_QUOTE));
  return status >= 500
    ? `an error on the server (${quoted}) has prevented the request from succeeding`
    : `the server responded with the status code ${status} but did not return more information`;
}
