/**
 * Which records have to do with secrets. One list, asked twice: of a parsed record, and of the bytes of one that is then
 * perhaps never parsed.
 */
import { type Fields, fieldsOf, textOf } from "../fields.ts";

/** Every call of it, and every event of its own. */
const VAULT = "secretsmanager";

/** Its record tells of the secret in one place only, which is the key under which it has the secret's ARN. */
const KEEPER = "kms";
export const SECRET_ARN = "SecretARN";

/** What KMS encrypts for a secret's key check, which delivers no value to anybody. */
const KEY_CHECK = "RequestToValidateKeyAccess";

/** Besides everything of Secrets Manager: what takes a value's protection, the watch over it, or its rotation away. */
export const GUARDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["kms", ["PutKeyPolicy", "DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial", "CreateGrant"]],
  [
    "cloudtrail",
    [
      "StopLogging",
      "DeleteTrail",
      "UpdateTrail",
      "PutEventSelectors",
      // What a tool makes and asks that keeps trails in step with code.
      "CreateTrail",
      "GetInsightSelectors",
    ],
  ],
  ["events", ["DisableRule", "DeleteRule", "RemoveTargets", "PutRule"]],
  ["scheduler", ["DeleteSchedule", "UpdateSchedule"]],
  [
    "lambda",
    [
      "DeleteFunction20150331",
      "PutFunctionConcurrency20171031",
      "UpdateFunctionCode20150331v2",
      "UpdateFunctionConfiguration20150331v2",
      "AddPermission20150331v2",
      "PublishLayerVersion20181031",
    ],
  ],
  [
    "iam",
    [
      "AttachRolePolicy",
      "AttachUserPolicy",
      "AttachGroupPolicy",
      "PutRolePolicy",
      "PutUserPolicy",
      "PutGroupPolicy",
      "CreatePolicyVersion",
      "SetDefaultPolicyVersion",
      "AddUserToGroup",
      "UpdateAssumeRolePolicy",
      "DeleteRolePolicy",
      "DeleteRolePermissionsBoundary",
    ],
  ],
]);

/** No record of any other service concerns secrets. */
export const SERVICES: readonly string[] = [...new Set([VAULT, KEEPER, ...GUARDS.keys()])];

/** `named`: if the record has a `SecretARN`, and only then perhaps. */
export function concernOf(service: string, action: string): "surely" | "named" | "never" {
  if (service === VAULT || GUARDS.get(service)?.includes(action)) return "surely";
  return service === KEEPER ? "named" : "never";
}

export function concernsSecrets(service: string, action: string, request: Fields): boolean {
  const encryption = fieldsOf(request["encryptionContext"]);
  const isNamed = service === KEEPER && textOf(encryption[SECRET_ARN]) !== undefined;
  if (isNamed) return encryption["SecretVersionId"] !== KEY_CHECK;
  return concernOf(service, action) === "surely";
}
