/**
 * IAM's keys and role sessions for an incident. A role's older sessions are refused with the inline policy that the console
 * writes for the same purpose, so that people find it where they look for it.
 *
 * Source: IAM user guide, "Revoke IAM role temporary security credentials".
 */
import { RekeyError } from "../errors.ts";
import type { AccessControl } from "../incident/accessControl.ts";
import { awsError, CLIENT_OPTIONS, isSdkError } from "./awsCalls.ts";

const POLICY = "AWSRevokeOlderSessions";

type Clients = typeof import("./iamClients.ts");
type Iam = InstanceType<Clients["IAMClient"]>;

const denial = (at: Date) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Deny",
      Action: ["*"],
      Resource: ["*"],
      Condition: { DateLessThan: { "aws:TokenIssueTime": at.toISOString() } },
    },
  ],
});

export function iamControl(): AccessControl {
  let client: Promise<{ readonly iam: Iam; readonly with: Clients }> | undefined;
  const connect = () => {
    client ??= import("./iamClients.ts").then((clients) => ({
      iam: new clients.IAMClient(CLIENT_OPTIONS),
      with: clients,
    }));
    return client;
  };
  async function call<T>(doing: string, send: (iam: Iam, clients: Clients) => Promise<T>): Promise<T> {
    const { iam, with: clients } = await connect();
    try {
      return await send(iam, clients);
    } catch (error) {
      throw awsError(error, doing);
    }
  }
  /** @returns undefined for what IAM does not know */
  async function orNothing<T>(doing: string, send: (iam: Iam, clients: Clients) => Promise<T>) {
    try {
      return await call(doing, send);
    } catch (error) {
      if (isSdkError((error as RekeyError).cause, "NoSuchEntityException", "NoSuchEntity")) return undefined;
      throw error;
    }
  }

  return {
    async key(id) {
      const used = await orNothing(
        `ask when key ${id} was used last`,
        (iam, { GetAccessKeyLastUsedCommand }) =>
          iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id })),
      );
      const user = used?.UserName;
      if (user === undefined) return undefined;
      const status = await call(`list the keys of user ${user}`, async (iam, { ListAccessKeysCommand }) => {
        let Marker: string | undefined;
        do {
          const page = await iam.send(
            new ListAccessKeysCommand({ UserName: user, ...(Marker ? { Marker } : {}) }),
          );
          const found = page.AccessKeyMetadata?.find(({ AccessKeyId }) => AccessKeyId === id);
          if (found) return found.Status;
          Marker = page.IsTruncated ? page.Marker : undefined;
        } while (Marker);
        return undefined;
      });
      if (status === undefined) return undefined;
      const {
        LastUsedDate: at,
        ServiceName: service = "",
        Region: region = "",
      } = used?.AccessKeyLastUsed ?? {};
      return { user, isActive: status === "Active", ...(at ? { lastUsed: { at, service, region } } : {}) };
    },

    async setKey(id, user, isActive) {
      const Status = isActive ? "Active" : "Inactive";
      await call(`make key ${id} ${Status}`, (iam, { UpdateAccessKeyCommand }) =>
        iam.send(new UpdateAccessKeyCommand({ AccessKeyId: id, UserName: user, Status })),
      );
    },

    async deniedBefore(role) {
      const found = await orNothing(
        `read policy ${POLICY} of role ${role}`,
        (iam, { GetRolePolicyCommand }) =>
          iam.send(new GetRolePolicyCommand({ RoleName: role, PolicyName: POLICY })),
      );
      if (found) return timeIn(role, found.PolicyDocument);
      // IAM calls a role that is not there and a policy that is not there by the same name.
      const known = await orNothing(`read role ${role}`, (iam, { GetRoleCommand }) =>
        iam.send(new GetRoleCommand({ RoleName: role })),
      );
      return known ? "none" : undefined;
    },

    async denyBefore(role, at) {
      await call(`deny older sessions of role ${role}`, (iam, { PutRolePolicyCommand }) =>
        iam.send(
          new PutRolePolicyCommand({
            RoleName: role,
            PolicyName: POLICY,
            PolicyDocument: JSON.stringify(denial(at)),
          }),
        ),
      );
    },

    async allowAll(role) {
      await orNothing(`allow older sessions of role ${role}`, (iam, { DeleteRolePolicyCommand }) =>
        iam.send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName: POLICY })),
      );
    },

    async isRefused(role, begunAt) {
      const arn = await call(
        `read role ${role}`,
        async (iam, { GetRoleCommand }) => (await iam.send(new GetRoleCommand({ RoleName: role }))).Role?.Arn,
      );
      const simulated = await call(
        `simulate an older session of role ${role}`,
        (iam, { SimulatePrincipalPolicyCommand }) =>
          iam.send(
            new SimulatePrincipalPolicyCommand({
              PolicySourceArn: arn,
              ActionNames: ["secretsmanager:GetSecretValue"],
              ResourceArns: ["*"],
              ContextEntries: [
                {
                  ContextKeyName: "aws:TokenIssueTime",
                  ContextKeyType: "date",
                  ContextKeyValues: [begunAt.toISOString()],
                },
              ],
            }),
          ),
      );
      return (
        simulated.EvaluationResults?.every(({ EvalDecision }) => EvalDecision === "explicitDeny") ?? false
      );
    },
  };
}

/** @throws RekeyError RECORD_INVALID for a policy of that name that says something else, which only a person may replace */
function timeIn(role: string, document: string | undefined): Date {
  const text = /"aws:TokenIssueTime"\s*:\s*"([^"]+)"/.exec(decodeURIComponent(document ?? ""))?.[1] ?? "";
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at;
  throw new RekeyError(
    "RECORD_INVALID",
    `policy ${POLICY} of role ${role} is not the one that denies older sessions`,
  );
}
