// The string formats that the server checks. Others are annotations without effect.
import { parseRequestUri, UrlError } from "./go-url.ts";

export type FormatCheck = (text: string) => boolean;

const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;
const IPV6_PIECE = /^[0-9a-fA-F]{1,4}$/;
const DURATION =
  /^\s*((\d+)\s*(ns|nanoseconds?|us|µs|microseconds?|ms|milli(?:second)?s?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?))+\s*$/i;
const GO_DURATION = /^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})([Tt]|\s)(\d{2}):(\d{2}):(\d{2})([.,]\d+)?([Zz]|[+-]\d{2}:?\d{2})?$/;
const UUID = /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

export function isIpv6(text: string): boolean {
  if (!text.includes(":")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const pieces = half.split(":");
    const last = pieces.at(-1)!;
    if (index === halves.length - 1 && last.includes(".")) {
      if (!isIpv4(last)) return false;
      pieces.pop();
      count += 2;
    }
    if (!pieces.every((piece) => IPV6_PIECE.test(piece))) return false;
    count += pieces.length;
  }
  return halves.length === 2 ? count < 8 : count === 8;
}

function isCidr(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0 || !/^(0|[1-9]\d*)$/.test(text.slice(slash + 1))) return false;
  const address = text.slice(0, slash);
  const bits = Number(text.slice(slash + 1));
  return (isIpv4(address) && bits <= 32) || (isIpv6(address) && bits <= 128);
}

function isUri(text: string): boolean {
  return !(parseRequestUri(text) instanceof UrlError);
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return match !== null && isCalendarDay(Number(match[1]), Number(match[2]), Number(match[3]));
}

function isCalendarDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(2000, month - 1, 1));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text);
  if (match === null) return false;
  const day = isCalendarDay(Number(match[1]), Number(match[2]), Number(match[3]));
  return day && Number(match[5]) < 24 && Number(match[6]) < 60 && Number(match[7]) < 60;
}

function isBase64(text: string): boolean {
  return text !== "" && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}

function uuidVersion(version: string): FormatCheck {
  return (text) => UUID.test(text) && text.replaceAll("-", "").charAt(12) === version;
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]/g, "");
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < 10; index++) {
    const digit = digits.charAt(index);
    sum += (10 - index) * (digit === "X" ? 10 : Number(digit));
  }
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]/g, "");
  if (!/^\d{13}$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < 13; index++) sum += Number(digits.charAt(index)) * (index % 2 === 0 ? 1 : 3);
  return sum % 10 === 0;
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  if (digits.length < 13 || digits.length > 19) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits.charAt(digits.length - 1 - index)) * (index % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

const FORMATS: Readonly<Record<string, FormatCheck>> = {
  bsonobjectid: (text) => /^[0-9a-fA-F]{24}$/.test(text),
  uri: isUri,
  email: (text) => /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/.test(text) || /^.*<[^\s@]+@[^\s@]+>$/.test(text),
  hostname: (text) => text.length <= 255 && HOSTNAME.test(text),
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
  mac: (text) => /^([0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){7})$/.test(text),
  uuid: (text) => UUID.test(text),
  uuid3: uuidVersion("3"),
  uuid4: uuidVersion("4"),
  uuid5: uuidVersion("5"),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: (text) => /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.test(text),
  byte: isBase64,
  date: isDate,
  "date-time": isDateTime,
  datetime: isDateTime,
  duration: (text) => GO_DURATION.test(text) || DURATION.test(text),
  "k8s-short-name": (text) => text.length <= 63 && LABEL.test(text),
  "k8s-long-name": (text) => text.length <= 253 && text.split(".").every((part) => LABEL.test(part)),
};

/** The check of a format; undefined for formats that the server does not check, such as `password`. */
export function formatCheck(format: string): FormatCheck | undefined {
  return FORMATS[format];
}
