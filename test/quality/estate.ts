/** What runs in a tenant and which secrets it has: a few applications, each in production and in staging. */
import { accountId, keyArn, roleArn, secretArn } from "./arns.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type Span } from "./moments.ts";
import type { Random } from "./random.ts";
import type { LambdaFunction, Rotation, Secret, Service, Version } from "./tenant.ts";

const APPS = ["shop", "billing", "search", "identity", "mail", "reports", "orders", "stock"];
const KINDS = ["database", "redis", "jwt", "stripe", "sendgrid", "oauth"];
const ROTATED = ["database", "redis", "jwt"];
const TIERS = ["production", "staging"] as const;

export interface Place {
  readonly account: string;
  readonly home: string;
  readonly whole: Span;
  readonly watched: Span;
  readonly kmsKey: string;
}

export interface Estate {
  readonly secrets: readonly Secret[];
  readonly rotations: readonly Rotation[];
  readonly services: readonly Service[];
  readonly functions: readonly LambdaFunction[];
}

type Turn = Omit<Rotation, "secret">;

export function placeOf(home: string, whole: Span, watched: Span, random: Random): Place {
  const account = accountId(random);
  return { account, home, whole, watched, kmsKey: keyArn(account, home, random) };
}

export function estateOf(place: Place, random: Random): Estate {
  const apps = random.some(APPS, random.int(2, 4));
  // One journey rotates all that is due, so that several secrets turn at the same time.
  const { whole, watched } = place;
  const rounds = [
    whole.fromMs + random.int(5, 40) * DAY_MS,
    watched.fromMs + random.int(1, lastDayOf(place)) * DAY_MS + random.int(0, 23) * HOUR_MS,
  ];
  const rotations: Rotation[] = [];
  const secretsOf = (app: string, tier: Secret["tier"]) => {
    const kinds = ["database", ...random.some(KINDS.slice(1), random.int(1, 3))];
    const own = kinds.map((kind) => {
      const isRotated = tier === "production" && ROTATED.includes(kind);
      const turns = isRotated ? rounds.map((startMs) => turnOf("rekey", startMs, random)) : [];
      return withTurns(place, `${tier}/${app}/${kind}`, tier, turns, random);
    });
    const managed = tier === "production" && random.chance(0.5) ? [managedOf(place, random)] : [];
    for (const { secret, turns } of [...own, ...managed])
      rotations.push(...turns.map((turn) => ({ ...turn, secret })));
    return [...own, ...managed].map(({ secret }) => secret);
  };
  const groups = apps.flatMap((app) => TIERS.map((tier) => ({ app, tier, secrets: secretsOf(app, tier) })));
  const added: Secret[] = [];
  const services = groups.flatMap((group) => servicesOf(place, group, added, random));
  const functions = groups.slice(0, random.int(2, 4)).map((group) => functionOf(place, group, random));
  return {
    secrets: [...groups.flatMap(({ secrets }) => secrets), ...added],
    rotations: rotations.toSorted((a, b) => a.startMs - b.startMs),
    services,
    functions: functions.map((one, index) => ({ ...one, isChatty: index === 0 && random.chance(0.5) })),
  };
}

const lastDayOf = ({ watched }: Place) =>
  Math.max(1, Math.floor((watched.toMs - watched.fromMs) / DAY_MS) - 3);

interface Group {
  readonly app: string;
  readonly tier: Secret["tier"];
  readonly secrets: readonly Secret[];
}

function servicesOf(place: Place, { app, tier, secrets }: Group, added: Secret[], random: Random): Service[] {
  const isShared = random.chance(0.3);
  return ["api", "worker"].slice(0, random.int(1, 2)).map((part) => {
    const name = `${app}-${part}-${tier}`;
    const role = (suffix: string) => roleArn(place.account, suffix);
    const isAdding = part === "api" && random.chance(0.3);
    const addedMs =
      place.watched.fromMs + random.int(0, lastDayOf(place)) * DAY_MS + random.int(8, 16) * HOUR_MS;
    const extra = isAdding
      ? laterOf(place, `${tier}/${app}/partner`, tier, addedMs - HOUR_MS, random)
      : undefined;
    if (extra) added.push(extra);
    return {
      name,
      tier,
      secrets: random.some(secrets, random.int(1, Math.min(4, secrets.length))),
      taskRole: role(`${name}-task`),
      executionRole: role(isShared ? `${tier}-ecsTaskExecutionRole` : `${name}-execution`),
      tasks: random.int(2, 4),
      reads: random.pick(["valueFrom", "valueFrom", "valueFrom", "atStart", "atStart", "caching"] as const),
      ...(extra ? { added: { secret: extra, atMs: addedMs } } : {}),
    };
  });
}

function functionOf(place: Place, { app, tier, secrets }: Group, random: Random): LambdaFunction {
  const name = `${app}-${random.pick(["invoice", "webhook", "resize", "export"])}-${tier}`;
  return {
    name,
    role: roleArn(place.account, `service-role/${name}-role-${random.text(8)}`),
    secrets: random.some(secrets, random.int(1, 2)),
    language: random.pick(["nodejs", "python"] as const),
    isInVpc: random.chance(0.5),
    isChatty: false,
  };
}

function turnOf(by: Rotation["by"], startMs: number, random: Random): Turn {
  const promotedMs = startMs + random.int(40, 120) * SECOND_MS;
  const revokedMs = promotedMs + (by === "rds" ? 0 : random.int(8, 40) * MINUTE_MS);
  return { by, startMs, promotedMs, revokedMs, oldVersion: "", newVersion: random.uuid() };
}

/** RDS turns its own secrets every seven days. */
function managedOf(place: Place, random: Random) {
  const first = place.whole.fromMs + random.next() * 7 * DAY_MS;
  const starts = Array.from({ length: 30 }, (_, week) => first + week * 7 * DAY_MS).filter(
    (startMs) => startMs < place.watched.toMs - HOUR_MS,
  );
  const turns = starts.map((startMs) => turnOf("rds", startMs, random));
  return withTurns(place, `rds!cluster-${random.uuid()}`, "production", turns, random);
}

function withTurns(place: Place, name: string, tier: Secret["tier"], turns: readonly Turn[], random: Random) {
  const first = random.uuid();
  const linked = turns.map((turn, index) => ({ ...turn, oldVersion: turns[index - 1]?.newVersion ?? first }));
  const versions: Version[] = [
    { id: first, currentFromMs: place.whole.fromMs - DAY_MS, ...endOf(turns[0]) },
    ...linked.map((turn, index) => ({
      id: turn.newVersion,
      currentFromMs: turn.promotedMs,
      ...endOf(turns[index + 1]),
    })),
  ];
  return { secret: secretOf(place, name, tier, versions, random), turns: linked };
}

const endOf = (turn: Turn | undefined) =>
  turn ? { currentToMs: turn.promotedMs, revokedAtMs: turn.revokedMs } : {};

/** One that is created at `fromMs`. */
export function laterOf(
  place: Place,
  name: string,
  tier: Secret["tier"],
  fromMs: number,
  random: Random,
): Secret {
  return secretOf(place, name, tier, [{ id: random.uuid(), currentFromMs: fromMs }], random);
}

function secretOf(
  { account, home, kmsKey }: Place,
  name: string,
  tier: Secret["tier"],
  versions: readonly Version[],
  random: Random,
): Secret {
  const arn = secretArn(account, home, name, random);
  return { name, arn, key: `${account}/${home}/${name}`, region: home, tier, kmsKey, versions };
}
