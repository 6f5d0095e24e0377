/**
 * Secrets Manager's own rotation: RotateSecret labels a version without a value as AWSPENDING and asks the function for four
 * steps; when one fails, the whole rotation is tried again from the first. What happened is told by service events.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lambda } from "./lambda.ts";
import type { RotationSettings, Secret, SecretsModel } from "./secretsModel.ts";
import { AwsError } from "./service.ts";

const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
/** AWS says "multiple times" and no number. */
const TRIES = 3;
const PAUSE_MS = 1_000;
const DAY_MS = 86_400_000;

interface Flight {
  readonly token: string;
  readonly rotationToken: string;
  abandoned: boolean;
}

export interface RotateSecretInput {
  readonly ClientRequestToken?: string;
  readonly RotationLambdaARN?: string;
  readonly RotationRules?: { readonly AutomaticallyAfterDays?: number; readonly ScheduleExpression?: string };
  readonly RotateImmediately?: boolean;
}

const seconds = (date: Date) => date.getTime() / 1000;
const invalidRequest = (message: string) => new AwsError("InvalidRequestException", message);
const invalidParameter = (message: string) => new AwsError("InvalidParameterException", message);

export function describeRotation({ rotationEnabled, rotation }: Secret) {
  return {
    ...(rotationEnabled ? { RotationEnabled: true } : rotation ? { RotationEnabled: false } : {}),
    ...(rotation ? { RotationLambdaARN: rotation.lambdaArn } : {}),
    ...(rotation?.rules ? { RotationRules: rotation.rules } : {}),
    ...(rotation?.lastRotatedAt ? { LastRotatedDate: seconds(rotation.lastRotatedAt) } : {}),
    ...(rotation?.nextRotationAt ? { NextRotationDate: seconds(rotation.nextRotationAt) } : {}),
  };
}

export class Rotations {
  readonly #model: SecretsModel;
  readonly #lambda: Lambda;
  readonly #publish: (eventName: string, arn: string, token: string) => void;
  readonly #flights = new Map<string, Flight>();
  #stopped = false;

  constructor(
    model: SecretsModel,
    lambda: Lambda,
    publish: (eventName: string, arn: string, token: string) => void,
  ) {
    this.#model = model;
    this.#lambda = lambda;
    this.#publish = publish;
  }

  rotate(secret: Secret, input: RotateSecretInput) {
    const { ClientRequestToken: token = randomUUID(), RotateImmediately: atOnce = true } = input;
    if (token.length < 32 || token.length > 64)
      throw invalidParameter("ClientRequestToken must have between 32 and 64 characters.");
    const answer = { ARN: secret.arn, Name: secret.name, VersionId: token };
    if (this.#flights.get(secret.arn)?.token === token) return answer;
    secret.rotation = this.#settings(secret, input);
    secret.rotationEnabled = true;
    const pending = this.#model.holder(secret, "AWSPENDING");
    if (pending && !pending.labels.has("AWSCURRENT")) {
      if (!this.#flights.has(secret.arn)) this.#begin(secret, pending.versionId, "Rotation", STEPS);
      throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
    }
    if (atOnce) {
      this.#model.promise(secret, token);
      this.#begin(secret, token, "Rotation", STEPS);
      return answer;
    }
    // What is tried out is the function: the present value, as a version that goes away afterwards.
    const trial = randomUUID();
    const { text } = this.#model.read(secret, undefined, undefined);
    this.#model.put(secret, text, trial, ["AWSPENDING"]);
    this.#begin(secret, trial, "TestRotation", ["testSecret"]);
    return { ARN: secret.arn, Name: secret.name };
  }

  /** Labels stay where they are: whoever cancels has to look after them. */
  cancel(secret: Secret) {
    secret.rotationEnabled = false;
    const flight = this.#flights.get(secret.arn);
    if (flight) flight.abandoned = true;
    return { ARN: secret.arn, Name: secret.name, ...(flight ? { VersionId: flight.token } : {}) };
  }

  /** A value that somebody puts beside a rotation makes Secrets Manager abandon it. */
  noteWrite(secret: Secret, versionId: string): void {
    const flight = this.#flights.get(secret.arn);
    if (!flight || flight.abandoned || flight.token === versionId) return;
    flight.abandoned = true;
    secret.versions.get(flight.token)?.labels.delete("AWSPENDING");
    this.#publish("RotationAbandoned", secret.arn, flight.token);
  }

  checkToken(secret: Secret, rotationToken: string | undefined): void {
    if (rotationToken === undefined) return;
    if (this.#flights.get(secret.arn)?.rotationToken !== rotationToken)
      throw invalidRequest("The RotationToken is not that of a rotation of this secret.");
  }

  stop(): void {
    this.#stopped = true;
  }

  #settings(secret: Secret, { RotationLambdaARN, RotationRules }: RotateSecretInput): RotationSettings {
    const lambdaArn = RotationLambdaARN ?? secret.rotation?.lambdaArn;
    if (lambdaArn === undefined)
      throw invalidRequest("No Lambda rotation function ARN is associated with this secret.");
    if (this.#lambda.find(lambdaArn) === undefined)
      throw invalidRequest("Secrets Manager cannot invoke the specified Lambda function.");
    const { AutomaticallyAfterDays: days, ScheduleExpression: schedule } = RotationRules ?? {};
    if (days !== undefined && schedule !== undefined)
      throw invalidParameter("Give AutomaticallyAfterDays or ScheduleExpression, not both.");
    if (days !== undefined && (days < 1 || days > 1000))
      throw invalidParameter("AutomaticallyAfterDays must be 1 to 1000.");
    const rules = RotationRules ?? secret.rotation?.rules;
    return { ...secret.rotation, lambdaArn, ...(rules ? { rules } : {}) };
  }

  #begin(secret: Secret, token: string, event: string, steps: readonly string[]): void {
    const flight: Flight = { token, rotationToken: randomUUID(), abandoned: false };
    this.#flights.set(secret.arn, flight);
    this.#publish(`${event}Started`, secret.arn, token);
    const isTrial = event === "TestRotation";
    void this.#fly(secret, flight, steps, isTrial ? 1 : TRIES).then((succeeded) => {
      this.#flights.delete(secret.arn);
      if (isTrial) secret.versions.delete(token);
      if (succeeded && !isTrial) noteSuccess(secret);
      if (!flight.abandoned && !this.#stopped)
        this.#publish(`${event}${succeeded ? "Succeeded" : "Failed"}`, secret.arn, token);
    });
  }

  async #fly(secret: Secret, flight: Flight, steps: readonly string[], tries: number): Promise<boolean> {
    const name = this.#lambda.find(secret.rotation?.lambdaArn ?? "") ?? "";
    const { token, rotationToken } = flight;
    const isOver = () => flight.abandoned || this.#stopped;
    for (let left = tries; left > 0; left--) {
      let failed = false;
      for (const Step of steps) {
        if (isOver()) return false;
        const event = {
          Step,
          SecretId: secret.arn,
          ClientRequestToken: token,
          RotationToken: rotationToken,
        };
        failed = (await this.#lambda.invoke(name, event)).failure !== undefined;
        if (failed) break;
      }
      if (isOver()) return false;
      const isCurrent = secret.versions.get(token)?.labels.has("AWSCURRENT") === true;
      if (!failed && (isCurrent || !steps.includes("finishSecret"))) return true;
      if (left > 1) await sleep(PAUSE_MS);
    }
    return false;
  }
}

function noteSuccess({ rotation }: Secret): void {
  if (!rotation) return;
  const now = new Date();
  rotation.lastRotatedAt = now;
  const days = rotation.rules?.AutomaticallyAfterDays;
  if (days !== undefined) rotation.nextRotationAt = new Date(now.getTime() + days * DAY_MS);
}
