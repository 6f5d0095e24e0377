/**
 * The order of AWS's own single-user rotation functions, for comparison: change the value at the target, make it
 * AWSCURRENT, and then redeploy what uses it. Between the first and the last every new login of an old task fails.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Progress } from "./progress.ts";
import { BUNDLE, CLUSTER, GUARD_DATABASE, GUARD_REDIS, SERVICES, type World } from "./world.ts";

const POLL_MS = 200;
const value = () => randomBytes(32).toString("hex");

/** @returns the names of the secrets that it changed */
export async function rotateInAwsOrder(world: World, progress: Progress): Promise<readonly string[]> {
  progress.note({ event: "run.started" });
  const [database, redis, jwt, guardDatabase, guardRedis] = [value(), value(), value(), value(), value()];
  await changeDatabase(world, database, guardDatabase);
  for (const secret of [BUNDLE, GUARD_DATABASE])
    progress.note({ event: "rotation.phase", secret, phase: "set" });
  await changeRedis(world, redis, guardRedis);
  progress.note({ event: "rotation.phase", secret: GUARD_REDIS, phase: "set" });

  const manager = new SecretsManagerClient(world.client);
  const changes = {
    [BUNDLE]: { DATABASE_PASSWORD: database, REDIS_PASSWORD: redis, JWT_SECRET_KEY: jwt },
    [GUARD_DATABASE]: { password: guardDatabase },
    [GUARD_REDIS]: { password: guardRedis },
  };
  for (const [secret, fields] of Object.entries(changes)) {
    await putCurrent(manager, secret, fields);
    progress.note({ event: "rotation.phase", secret, phase: "promote" });
  }
  manager.destroy();

  await redeploy(world, progress);
  for (const secret of Object.keys(changes))
    progress.note({ event: "rotation.phase", secret, phase: "rollOut" });
  progress.note({ event: "run.done" });
  return Object.keys(changes);
}

async function changeDatabase({ postgres, seeds }: World, app: string, guard: string): Promise<void> {
  await postgres.query(`set log_statement = 'none';
    alter role ${seeds.appDatabase.username} password '${app}';
    alter role ${seeds.guardDatabase.username} password '${guard}'`);
}

async function changeRedis(
  { primary, replica, seeds }: World,
  password: string,
  guard: string,
): Promise<void> {
  for (const node of [primary, replica]) {
    const before = { password: seeds.redisPassword };
    await node.command(before, "ACL", "SETUSER", seeds.guardRedis.username, "resetpass", `>${guard}`);
    await node.command(before, "CONFIG", "SET", "masterauth", password);
    await node.command(before, "CONFIG", "SET", "requirepass", password);
  }
}

async function putCurrent(
  manager: SecretsManagerClient,
  SecretId: string,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  const { SecretString = "{}" } = await manager.send(new GetSecretValueCommand({ SecretId }));
  const document = { ...JSON.parse(SecretString), ...fields };
  await manager.send(
    new PutSecretValueCommand({
      SecretId,
      SecretString: JSON.stringify(document),
      ClientRequestToken: randomUUID(),
    }),
  );
}

async function redeploy({ client }: World, progress: Progress): Promise<void> {
  const ecs = new ECSClient(client);
  const waiting = new Set<string>(SERVICES);
  for (const service of SERVICES) {
    await ecs.send(new UpdateServiceCommand({ cluster: CLUSTER, service, forceNewDeployment: true }));
    progress.note({ event: "deployment.requested", service });
  }
  while (waiting.size > 0) {
    await sleep(POLL_MS);
    const { services = [] } = await ecs.send(
      new DescribeServicesCommand({ cluster: CLUSTER, services: [...waiting] }),
    );
    for (const { serviceName = "", deployments = [] } of services) {
      if (deployments.length > 1 || deployments[0]?.rolloutState !== "COMPLETED") continue;
      waiting.delete(serviceName);
      progress.note({ event: "deployment.done", service: serviceName });
    }
  }
  ecs.destroy();
}
