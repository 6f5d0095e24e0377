/**
 * Reads `rekey:*` tags: which secrets are managed, and which credentials inside each rotate, by which strategy.
 *
 * A secret with `rekey:strategy` is one credential. A bundle has one tag per rotating field,
 * `rekey:field:JWT_SECRET_KEY = jwt`. An option applies to the whole secret (`rekey:grace`) or, with the field's name
 * appended, to one credential of a bundle (`rekey:grace:JWT_SECRET_KEY`). A tag that is not understood is an
 * objection: a mistyped `rekey:grcae` must not silently mean "no grace period".
 */
import { Credential, type SecretDocument } from "../secret.ts";
import type { Objection } from "./strategy.ts";

const PREFIX = "rekey:";
const OPTIONS = [
  "interval",
  "grace",
  "skew",
  "admin",
  "map",
  "alg",
  "nodes",
  "not-after",
  "consumers",
] as const;
type OptionName = (typeof OPTIONS)[number];

/** What the watch over reads is told of a secret, whether it rotates or not. */
const WATCH_TAGS = ["tier", "canary", "break-glass", "readers"] as const;
const isWatchTag = (key: string) => WATCH_TAGS.some((tag) => key === `${PREFIX}${tag}`);

const DEFAULT_INTERVAL_DAYS = 90;
const DEFAULT_SKEW_SECONDS = 60;
/** Token life when nobody said: an hour is what most issuers use at the longest for access tokens. */
const DEFAULT_GRACE_SECONDS: Readonly<Record<string, number>> = { jwt: 3600 };

/** One credential that rotates, as the tags describe it. */
export interface ManagedCredential {
  /** The bundle's field; undefined when the secret is one credential. */
  readonly field?: string;
  /** What people call it: `name` or `name#FIELD`. */
  readonly label: string;
  readonly strategy: string;
  readonly intervalDays: number;
  readonly graceSeconds: number;
  readonly skewSeconds: number;
  /** Name or ARN of the admin secret. */
  readonly admin?: string;
  /** Canonical name -> field, from `rekey:map`. */
  readonly map: ReadonlyMap<string, string>;
  readonly options: ReadonlyMap<string, string>;
}

export interface ManagedSecret {
  readonly arn: string;
  readonly name: string;
  readonly credentials: readonly ManagedCredential[];
  /** `cluster/service` names from `rekey:consumers`, for what ECS cannot show. */
  readonly declaredConsumers: readonly string[];
  readonly objections: readonly Objection[];
}

type Tags = ReadonlyMap<string, string>;

export function isManaged(tags: Tags): boolean {
  return [...tags.keys()].some((key) => key.startsWith(PREFIX) && !isWatchTag(key));
}

/** What the tags say. Never throws: everything that is wrong stands in `objections`. */
export function readTags(arn: string, name: string, tags: Tags): ManagedSecret {
  const objections: Objection[] = [];
  const invalid = (text: string) => {
    const message = `${name}: ${text}`;
    // A tag that every field of a bundle shares is wrong once.
    if (objections.some((known) => known.message === message)) return;
    objections.push({ code: "TAG_INVALID", message });
  };
  const strategyTag = tags.get("rekey:strategy");
  const fields = [...tags.keys()]
    .filter((key) => key.startsWith("rekey:field:"))
    .map((key) => key.slice("rekey:field:".length))
    .sort();

  for (const key of tags.keys()) {
    const problem =
      key.startsWith(PREFIX) && !isWatchTag(key) && unknownTag(key.slice(PREFIX.length), fields);
    if (problem) invalid(`tag ${key} ${problem}`);
  }
  if (strategyTag !== undefined && fields.length > 0)
    invalid(
      "has both rekey:strategy and rekey:field:* tags; keep the first for one credential, the others for a bundle",
    );
  if (strategyTag === undefined && fields.length === 0)
    invalid(
      "has rekey:* tags but neither rekey:strategy nor rekey:field:<FIELD>; add the one that says how it rotates",
    );

  const one = (field: string | undefined, strategy: string): ManagedCredential => {
    const tagOf = (option: OptionName) =>
      field !== undefined && tags.has(`rekey:${option}:${field}`)
        ? `rekey:${option}:${field}`
        : `rekey:${option}`;
    const option = (option: OptionName) => tags.get(tagOf(option));
    const seconds = (name: OptionName, fallback: number, least: number) => {
      const text = option(name);
      if (text === undefined) return fallback;
      const value = Number(text);
      if (text.trim() === "" || !Number.isFinite(value) || value < least) {
        invalid(`tag ${tagOf(name)} must be a number of at least ${least}`);
        return fallback;
      }
      return value;
    };
    const admin = option("admin");
    return {
      ...(field === undefined ? {} : { field }),
      label: field === undefined ? name : `${name}#${field}`,
      strategy: strategy.trim(),
      intervalDays: seconds("interval", DEFAULT_INTERVAL_DAYS, 1),
      graceSeconds: seconds("grace", DEFAULT_GRACE_SECONDS[strategy.trim()] ?? 0, 0),
      skewSeconds: seconds("skew", DEFAULT_SKEW_SECONDS, 0),
      ...(admin === undefined ? {} : { admin }),
      map: parseMap(option("map"), () =>
        invalid(`tag ${tagOf("map")} must read like \`host=DB_HOST username=DB_USER\``),
      ),
      options: new Map(
        OPTIONS.flatMap((name) => {
          const value = option(name);
          return value === undefined ? [] : [[name, value] as const];
        }),
      ),
    };
  };

  return {
    arn,
    name,
    credentials:
      strategyTag === undefined
        ? fields.map((field) => one(field, tags.get(`rekey:field:${field}`) ?? ""))
        : [one(undefined, strategyTag)],
    declaredConsumers: (tags.get("rekey:consumers") ?? "").split(/[\s]+/).filter((text) => text !== ""),
    objections,
  };
}

function unknownTag(rest: string, fields: readonly string[]): string | undefined {
  if (rest === "strategy") return undefined;
  const [kind = "", ...tail] = rest.split(":");
  const field = tail.join(":");
  if (kind === "field") return field === "" ? "names no field" : undefined;
  if (!OPTIONS.some((option) => option === kind)) {
    return `is not one that Rekey knows; known are rekey:strategy, rekey:field:<FIELD>, ${[...OPTIONS, ...WATCH_TAGS].map((option) => `rekey:${option}`).join(", ")}`;
  }
  if (field !== "" && !fields.includes(field))
    return `names the field ${field}, which has no rekey:field:${field} tag`;
  return undefined;
}

function parseMap(text: string | undefined, onInvalid: () => void): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const pair of (text ?? "").split(/\s+/).filter((part) => part !== "")) {
    const [name = "", field = "", ...rest] = pair.split("=");
    if (name === "" || field === "" || rest.length > 0) onInvalid();
    else map.set(name, field);
  }
  return map;
}

/** What a bundle calls a credential's parts, in the order in which spellings are tried. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  host: ["HOST", "HOSTNAME"],
  port: ["PORT"],
  username: ["USER", "USERNAME"],
  dbname: ["NAME", "DBNAME", "DB", "DATABASE"],
  previousNotAfter: ["PREVIOUS_NOT_AFTER"],
};

/**
 * The credential inside a version of the secret.
 *
 * @param valueName the strategy's name for the rotating value. `password` has its siblings beside it under the same
 *   prefix (`DATABASE_PASSWORD`, `DATABASE_HOST`); any other value has them below it (`JWT_SECRET_KEY`,
 *   `JWT_SECRET_KEY_NEXT`).
 */
export function credentialIn(
  document: SecretDocument,
  managed: ManagedCredential,
  valueName: string,
): Credential {
  const { field } = managed;
  if (field === undefined) {
    return new Credential(document, managed.label, (name) => managed.map.get(name) ?? name);
  }
  const stem = valueName === "password" ? field.slice(0, Math.max(field.lastIndexOf("_"), 0)) : field;
  const inCaseOf = (text: string) =>
    field === field.toUpperCase() ? text.toUpperCase() : text.toLowerCase();
  // The names are settled once, on this document: the next version must not move a field because a spelling appeared.
  const settled = new Map<string, string>();
  const fieldOf = (name: string): string => {
    if (name === valueName) return field;
    const known = managed.map.get(name) ?? settled.get(name);
    if (known !== undefined) return known;
    const spellings = (SPELLINGS[name] ?? [name]).map((spelling) =>
      stem === "" ? inCaseOf(spelling) : `${stem}_${inCaseOf(spelling)}`,
    );
    const found = spellings.find((spelling) => document.has(spelling)) ?? spellings[0] ?? name;
    settled.set(name, found);
    return found;
  };
  return new Credential(document, managed.label, fieldOf);
}

/**
 * Rewrites every URL in the document that logs in with the old user and password, so that `DATABASE_URL` follows
 * `DATABASE_PASSWORD`. Host, port, path and query stay as they are written.
 */
export function followInUrls(document: SecretDocument, from: Credential, to: Credential): SecretDocument {
  const oldPassword = from.reveal("password");
  const newPassword = to.reveal("password");
  if (!oldPassword || !newPassword) return document;
  const oldUser = from.reveal("username") ?? "";
  const newUser = to.reveal("username") ?? oldUser;
  const changes: Record<string, string> = {};
  for (const field of document.fieldNames()) {
    const text = document.reveal(field) ?? "";
    const userinfo = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]*):([^/?#]*)@/i.exec(text);
    if (!userinfo) continue;
    const [whole, scheme = "", user = "", password = ""] = userinfo;
    if (decode(password) !== oldPassword) continue;
    // `redis://:password@host` and `redis://default:password@host` name no user of ours.
    const sameUser = decode(user) === oldUser;
    if (!sameUser && oldUser !== "" && user !== "") continue;
    const nextUser = sameUser && user !== "" ? encodeURIComponent(newUser) : user;
    changes[field] = `${scheme}${nextUser}:${encodeURIComponent(newPassword)}@${text.slice(whole.length)}`;
  }
  return document.with(changes);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is legal in many a hand-written URL; it then stands for itself.
    return text;
  }
}
