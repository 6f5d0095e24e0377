/** The environment, parsed once; every problem is reported at once, by variable and with what it should be. */
import * as z from "zod/mini";
import { RekeyError } from "./errors.ts";

const seconds = (fallback: number) =>
  z._default(
    z.coerce.number("must be a number of seconds").check(z.positive("must be more than 0")),
    fallback,
  );
const present = z.string("is missing").check(z.trim(), z.minLength(1, "is empty"));

const schema = z.object({
  /** DynamoDB table with `pk` and `sk`. */
  REKEY_TABLE: present,
  /** Channel id of the security channel; without it Rekey keeps quiet. */
  REKEY_SLACK_CHANNEL: z.optional(z.string()),
  /** Name or ARN of the secret that holds the bot token, as plain text or as the field `token`. */
  REKEY_SLACK_SECRET: z.optional(z.string()),
  /** Name or ARN of the secret that holds Slack's signing secret, as plain text or as the field `signingSecret`. */
  REKEY_SLACK_SIGNING_SECRET: z.optional(z.string()),
  /** Whose clicks are taken: ids of the team and of the app. */
  REKEY_SLACK_TEAM: z.optional(z.string()),
  REKEY_SLACK_APP: z.optional(z.string()),
  /** Name of the deployed function respond, which does what people ask for in Slack. */
  REKEY_RESPOND_FUNCTION: z.optional(z.string()),
  /** Name of the deployed function rotateAll, which respond starts. */
  REKEY_ROTATE_ALL_FUNCTION: z.optional(z.string()),
  /** Slack user ids of those who may start a rotation in Slack, separated by spaces. */
  REKEY_APPROVERS: z.optional(z.string()),
  /** ARN of the topic that P1 and P2 go out by when Slack does not answer. */
  REKEY_FALLBACK_TOPIC: z.optional(z.string()),
  /** Cluster names or ARNs, separated by spaces or commas; every cluster of the Region when empty. */
  REKEY_CLUSTERS: z.optional(z.string()),
  REKEY_ROLLOUT_SECONDS: seconds(1800),
  REKEY_SETTLE_SECONDS: z._default(z.coerce.number("must be a number of seconds").check(z.nonnegative()), 2),
  /** How long a worker that stopped answering keeps its run; a living one renews it three times as often. */
  REKEY_LEASE_SECONDS: seconds(30),
  /** Name of the deployed function rotateSecret. */
  REKEY_ROTATION_FUNCTION: z.optional(z.string()),
  REKEY_POLL_MS: z._default(z.coerce.number("must be a number of milliseconds").check(z.positive()), 2000),
  REKEY_CONCURRENCY: z._default(z.coerce.number("must be a number").check(z.positive()), 16),
  /** ARNs of the roles of Rekey's own functions, whose every call is accounted for. */
  REKEY_ROLES: z.optional(z.string()),
  /** Ids of other accounts of the same owner, which are no strangers. */
  REKEY_ACCOUNTS: z.optional(z.string()),
  /** How the names of Rekey's functions, rules and schedules begin. */
  REKEY_NAMES_BEGIN: z.optional(z.string()),
  SLACK_API_URL: z.optional(z.url("must be a URL")),
});

export interface Config {
  readonly table: string;
  readonly slack?: { readonly channel: string; readonly tokenSecret: string; readonly apiUrl?: string };
  /** Undefined where nobody may ask for anything in Slack. */
  readonly slackDoor?: {
    readonly signingSecret: string;
    readonly teamId: string;
    readonly appId: string;
    readonly respondFunction: string;
  };
  readonly rotateAllFunction?: string;
  /** Slack user ids. */
  readonly approvers: readonly string[];
  readonly fallbackTopic?: string;
  readonly clusters: readonly string[];
  readonly watch: {
    readonly roles: readonly string[];
    readonly accounts: readonly string[];
    readonly namesBegin: string;
  };
  readonly rolloutSeconds: number;
  readonly settleSeconds: number;
  readonly leaseSeconds: number;
  readonly pollMs: number;
  readonly rotationFunction?: string;
  readonly concurrency: number;
  readonly mostBegun: number;
}

/** @throws RekeyError CONFIG_INVALID, naming every variable that is wrong */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is how templates spell "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
  if (Boolean(given["REKEY_SLACK_CHANNEL"]) !== Boolean(given["REKEY_SLACK_SECRET"])) {
    problems.push("REKEY_SLACK_CHANNEL and REKEY_SLACK_SECRET must be set together");
  }
  const door = ["REKEY_SLACK_SIGNING_SECRET", "REKEY_SLACK_TEAM", "REKEY_SLACK_APP"];
  if (door.some((name) => given[name]) && ![...door, "REKEY_RESPOND_FUNCTION"].every((name) => given[name])) {
    problems.push(`${door.join(", ")} must be set together, and REKEY_RESPOND_FUNCTION with them`);
  }
  if (!parsed.success || problems.length > 0) {
    throw new RekeyError("CONFIG_INVALID", `environment: ${problems.join("; ")}`);
  }
  const { data } = parsed;
  return {
    table: data.REKEY_TABLE,
    ...(data.REKEY_SLACK_CHANNEL && data.REKEY_SLACK_SECRET
      ? {
          slack: {
            channel: data.REKEY_SLACK_CHANNEL,
            tokenSecret: data.REKEY_SLACK_SECRET,
            ...(data.SLACK_API_URL ? { apiUrl: data.SLACK_API_URL } : {}),
          },
        }
      : {}),
    ...(data.REKEY_SLACK_SIGNING_SECRET
      ? {
          slackDoor: {
            signingSecret: data.REKEY_SLACK_SIGNING_SECRET,
            teamId: data.REKEY_SLACK_TEAM ?? "",
            appId: data.REKEY_SLACK_APP ?? "",
            respondFunction: data.REKEY_RESPOND_FUNCTION ?? "",
          },
        }
      : {}),
    ...(data.REKEY_FALLBACK_TOPIC ? { fallbackTopic: data.REKEY_FALLBACK_TOPIC } : {}),
    ...(data.REKEY_ROTATE_ALL_FUNCTION ? { rotateAllFunction: data.REKEY_ROTATE_ALL_FUNCTION } : {}),
    approvers: words(data.REKEY_APPROVERS),
    clusters: words(data.REKEY_CLUSTERS),
    watch: {
      roles: words(data.REKEY_ROLES),
      accounts: words(data.REKEY_ACCOUNTS),
      namesBegin: data.REKEY_NAMES_BEGIN ?? "",
    },
    rolloutSeconds: data.REKEY_ROLLOUT_SECONDS,
    settleSeconds: data.REKEY_SETTLE_SECONDS,
    leaseSeconds: data.REKEY_LEASE_SECONDS,
    pollMs: data.REKEY_POLL_MS,
    ...(data.REKEY_ROTATION_FUNCTION ? { rotationFunction: data.REKEY_ROTATION_FUNCTION } : {}),
    concurrency: data.REKEY_CONCURRENCY,
    mostBegun: data.REKEY_CONCURRENCY,
  };
}

/** Separated by spaces or commas. */
const words = (text = "") => text.split(/[\s,]+/).filter((word) => word !== "");
