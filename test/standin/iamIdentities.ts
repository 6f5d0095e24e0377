/** Users with access keys, and roles with inline policies: as strict as IAM about names, and about what is not there. */
import { AwsError } from "./service.ts";

interface Key {
  readonly user: string;
  status: "Active" | "Inactive";
  readonly lastUsed?: { readonly at: Date; readonly service: string; readonly region: string };
}

const ACCOUNT = "123456789012";
const KEY = /^\w{16,128}$/;
const NAME = /^[\w+=,.@-]{1,128}$/;

export class IamIdentities {
  readonly keys = new Map<string, Key>();
  /** Role -> name of an inline policy -> its document. */
  readonly roles = new Map<string, Map<string, string>>();

  readonly operations: Readonly<Record<string, (input: URLSearchParams) => object>> = {
    GetAccessKeyLastUsed: (input) => {
      const { user, lastUsed } = this.#key(taken(input, "AccessKeyId", KEY));
      const used = lastUsed
        ? { LastUsedDate: lastUsed.at.toISOString(), ServiceName: lastUsed.service, Region: lastUsed.region }
        : { ServiceName: "N/A", Region: "N/A" };
      return { UserName: user, AccessKeyLastUsed: used };
    },
    ListAccessKeys: (input) => {
      const user = taken(input, "UserName", NAME);
      const own = [...this.keys].filter(([, key]) => key.user === user);
      if (own.length === 0) throw missing(`The user with name ${user} cannot be found.`);
      return {
        UserName: user,
        IsTruncated: "false",
        AccessKeyMetadata: own.map(([AccessKeyId, { status }]) => ({
          UserName: user,
          AccessKeyId,
          Status: status,
        })),
      };
    },
    UpdateAccessKey: (input) => {
      const key = this.#key(taken(input, "AccessKeyId", KEY));
      // Without a user IAM takes the caller's own, which is never meant here.
      if (key.user !== taken(input, "UserName", NAME)) throw missing("The Access Key cannot be found.");
      key.status = taken(input, "Status", /^(Active|Inactive)$/) as Key["status"];
      return {};
    },
    GetRole: (input) => {
      const name = taken(input, "RoleName", NAME);
      this.#role(name);
      return {
        Role: {
          Path: "/",
          RoleName: name,
          RoleId: "AROAEXAMPLE",
          Arn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
          CreateDate: "2026-01-01T00:00:00Z",
        },
      };
    },
    GetRolePolicy: (input) => {
      const [role, policy] = [taken(input, "RoleName", NAME), taken(input, "PolicyName", NAME)];
      const document = this.#role(role).get(policy);
      if (document === undefined) throw missing(`The role policy with name ${policy} cannot be found.`);
      return { RoleName: role, PolicyName: policy, PolicyDocument: encodeURIComponent(document) };
    },
    PutRolePolicy: (input) => {
      const document = taken(input, "PolicyDocument", /^\{[\s\S]+\}$/);
      if (!Array.isArray(JSON.parse(document)["Statement"]))
        throw new AwsError("MalformedPolicyDocument", "Syntax errors in policy.");
      this.#role(taken(input, "RoleName", NAME)).set(taken(input, "PolicyName", NAME), document);
      return {};
    },
    DeleteRolePolicy: (input) => {
      const policy = taken(input, "PolicyName", NAME);
      if (!this.#role(taken(input, "RoleName", NAME)).delete(policy))
        throw missing(`The role policy with name ${policy} cannot be found.`);
      return {};
    },
  };

  /** @returns undefined unless a session's age is asked about */
  simulate(input: URLSearchParams): object | undefined {
    const name = input.get("ContextEntries.member.1.ContextKeyName");
    if (name !== "aws:TokenIssueTime") return undefined;
    const issued = Date.parse(input.get("ContextEntries.member.1.ContextKeyValues.member.1") ?? "");
    const policies = this.#role(input.get("PolicySourceArn")?.split("/").at(-1) ?? "");
    const isDenied = [...policies.values()].some((document) =>
      JSON.parse(document).Statement.some(
        ({ Effect, Condition }: { Effect: string; Condition?: Record<string, Record<string, string>> }) =>
          Effect === "Deny" && issued < Date.parse(Condition?.["DateLessThan"]?.["aws:TokenIssueTime"] ?? ""),
      ),
    );
    return {
      IsTruncated: "false",
      EvaluationResults: [
        {
          EvalActionName: input.get("ActionNames.member.1"),
          EvalResourceName: "*",
          EvalDecision: isDenied ? "explicitDeny" : "allowed",
        },
      ],
    };
  }

  #key(id: string): Key {
    const key = this.keys.get(id);
    if (key) return key;
    // IAM says so of a key of another account, too.
    throw missing(`The Access Key with id ${id} cannot be found`);
  }

  #role(name: string): Map<string, string> {
    const role = this.roles.get(name);
    if (role) return role;
    throw missing(`The role with name ${name} cannot be found.`);
  }
}

const missing = (message: string) => new AwsError("NoSuchEntity", message, 404);

function taken(input: URLSearchParams, name: string, pattern: RegExp): string {
  const value = input.get(name) ?? "";
  if (pattern.test(value)) return value;
  throw new AwsError("ValidationError", `${name} is not valid`);
}
