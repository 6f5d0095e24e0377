/**
 * Secrets Manager is eventually consistent after a write: for a while reads may answer as if it had not happened. Keeps
 * the secret as it was before the write and answers its reads from there until the while is over.
 */

import { Lambda } from "../standin/lambda.ts";
import { secretsManagerService } from "../standin/secretsManager.ts";
import { type Secret, SecretsModel } from "../standin/secretsModel.ts";
import { Rotations } from "../standin/secretsRotation.ts";
import { AwsError } from "../standin/service.ts";

const STALE_MS = 2_000;
const READS = ["DescribeSecret", "GetSecretValue", "ListSecrets"];

export class StaleReads {
  readonly #model: SecretsModel;
  #until = 0;
  #before: ReturnType<typeof secretsManagerService> | undefined;

  constructor(model: SecretsModel) {
    this.#model = model;
  }

  /** From now on, as it is now: call it before the write takes effect. */
  from({ SecretId: id }: { readonly SecretId?: string }): void {
    const secret = this.#model.find(id);
    const before = new SecretsModel("", "");
    for (const one of this.#model.secrets.values())
      before.secrets.set(one.arn, one === secret ? frozen(one) : one);
    // Only reads are answered from it, so nothing is rotated in it either.
    this.#before = secretsManagerService(before, new Rotations(before, new Lambda(), () => {}));
    this.#until = Date.now() + STALE_MS;
  }

  /** @returns what a read is answered, or undefined if it is to see the world as it is */
  answer(operation: string, input: unknown): { readonly status: number; readonly body: string } | undefined {
    if (Date.now() > this.#until || !READS.includes(operation)) return undefined;
    try {
      const output = this.#before?.operations[operation]?.(input, { principalArn: "", userAgent: "" });
      return { status: 200, body: JSON.stringify(output) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { status: error.status, body: JSON.stringify({ __type: error.type, message: error.message }) };
    }
  }
}

const frozen = (secret: Secret): Secret => ({
  ...secret,
  versions: new Map(
    [...secret.versions].map(([id, version]) => [id, { ...version, labels: new Set(version.labels) }]),
  ),
});
