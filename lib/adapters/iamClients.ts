/** In a file of its own, because it is loaded on first use and bundled apart: most invocations never ask IAM. */
export {
  DeleteRolePolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
  SimulatePrincipalPolicyCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
export { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
