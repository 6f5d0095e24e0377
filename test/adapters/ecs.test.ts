import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ecsFleet } from "../../lib/adapters/ecs.ts";
import { findConsumers } from "../../lib/rotation/consumers.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const CLUSTERS = ["shop", "billing"];
/** More than DescribeServices takes in one call, and more than one page of ListServices. */
const SERVICES = 104;

let cloud: Cloud;
let ecs: ECSClient;
beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  ecs = new ECSClient({
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });
  const { arn } = cloud.secrets.create("shop/key", "value");
  for (const cluster of CLUSTERS) {
    await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
    const sidecar = {
      name: "log",
      image: "log",
      essential: false,
      secrets: [{ name: "KEY", valueFrom: arn }],
    };
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: cluster,
        containerDefinitions: [{ name: "app", image: "app" }, sidecar],
      }),
    );
    await Promise.all(
      Array.from({ length: SERVICES }, (_, number) =>
        ecs.send(
          new CreateServiceCommand({
            cluster,
            serviceName: `service-${number}`,
            taskDefinition: taskDefinition?.taskDefinitionArn,
            desiredCount: 1,
          }),
        ),
      ),
    );
  }
});
afterAll(async () => {
  ecs?.destroy();
  await cloud?.stop();
});

test("consumers are found in every cluster, on every page, in any container", async () => {
  const fleet = await ecsFleet([], ecs).survey();
  expect(fleet.services).toHaveLength(CLUSTERS.length * SERVICES);
  const secret = { ...cloud.secrets.find("shop/key"), declaredConsumers: [] };
  const consumers = findConsumers([secret], fleet).get(secret.arn);
  expect(new Set(consumers?.services.map(({ service }) => service.name))).toEqual(
    new Set(
      CLUSTERS.flatMap((cluster) =>
        Array.from({ length: SERVICES }, (_, number) => `${cluster}/service-${number}`),
      ),
    ),
  );
  expect(consumers?.services[0]?.references[0]).toMatchObject({ container: "log", variable: "KEY" });
}, 60_000);

test("only the clusters that are named are looked into", async () => {
  const fleet = await ecsFleet(["billing"], ecs).survey();
  expect(new Set(fleet.services.map(({ name }) => name.split("/")[0]))).toEqual(new Set(["billing"]));
}, 60_000);
