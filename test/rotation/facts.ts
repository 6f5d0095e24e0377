/** Small whole facts for the tables of this folder: each test changes the one thing it speaks of. */
import type {
  DeploymentFacts,
  FleetFacts,
  SecretReference,
  ServiceFacts,
  TaskFacts,
} from "../../lib/rotation/fleet.ts";
import type { DeploymentRecord, Rotation, WaveRecord } from "../../lib/rotation/intent.ts";

export const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 24, 12, 0, 0) + seconds * 1000);
export const iso = (seconds: number): string => at(seconds).toISOString();

export const ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/database-AbCdEf";
export const CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/shop";

export const wave = (changes: Partial<WaveRecord> = {}): WaveRecord => ({
  wave: "rotate",
  fromVersionId: "old",
  toVersionId: "new",
  startedAt: iso(0),
  setAttempts: 0,
  cut: {},
  switchedOff: [],
  revoked: {},
  ...changes,
});

export const rotation = (changes: Partial<WaveRecord> = {}, more: Partial<Rotation> = {}): Rotation => ({
  runId: "run",
  rotationId: "new",
  secretArn: ARN,
  secretName: "shop/database",
  credentials: [{ label: "shop/database", waves: ["rotate"] }],
  briefCut: false,
  emergency: false,
  waves: ["rotate"],
  history: [wave(changes)],
  consumers: ["shop/gateway"],
  notes: [],
  failures: 0,
  rev: 1,
  ...more,
});

export const deployment = (changes: Partial<DeploymentFacts> = {}): DeploymentFacts => ({
  deploymentId: "ecs-svc/1",
  createdAt: at(-1000),
  status: "succeeded",
  ...changes,
});

/** Our record of a deployment of the gateway, asked for a second after the promotion. */
export const ours = (changes: Partial<DeploymentRecord> = {}): DeploymentRecord => ({
  service: "shop/gateway",
  wave: "rotate",
  back: false,
  requestedAt: iso(1),
  deploymentId: "ecs-svc/2",
  status: "running",
  tasksReplaced: 2,
  ...changes,
});

export const service = (name = "gateway", changes: Partial<ServiceFacts> = {}): ServiceFacts => ({
  name: `shop/${name}`,
  cluster: CLUSTER,
  serviceArn: `arn:aws:ecs:us-east-1:123456789012:service/shop/${name}`,
  active: true,
  controller: "ECS",
  desiredCount: 2,
  runningCount: 2,
  pendingCount: 0,
  taskDefinitions: [`arn:aws:ecs:us-east-1:123456789012:task-definition/${name}:1`],
  deployments: [deployment()],
  ...changes,
});

export const task = (changes: Partial<TaskFacts> = {}): TaskFacts => ({
  taskArn: "arn:aws:ecs:us-east-1:123456789012:task/shop/t1",
  cluster: CLUSTER,
  service: "shop/gateway",
  taskDefinition: "arn:aws:ecs:us-east-1:123456789012:task-definition/gateway:1",
  createdAt: at(-900),
  startedAt: at(-890),
  startedBy: "ecs-svc/1",
  overrides: [],
  ...changes,
});

export const valueFrom = (value: string, changes: Partial<SecretReference> = {}): SecretReference => ({
  container: "app",
  variable: "DATABASE_PASSWORD",
  value,
  via: "valueFrom",
  ...changes,
});

export const fleetWith = (
  references: readonly SecretReference[],
  changes: Partial<FleetFacts> = {},
): FleetFacts => {
  const [definition = ""] = service().taskDefinitions;
  return {
    services: [service()],
    tasks: [task()],
    taskDefinitions: new Map([[definition, { arn: definition, references }]]),
    ...changes,
  };
};
