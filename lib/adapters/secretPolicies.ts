/** Resource policies of secrets, as the detection's ResourcePolicies. */
import { GetResourcePolicyCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { ResourcePolicies } from "../detection/possibleReaders.ts";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";

export function secretPolicies(client = new SecretsManagerClient(CLIENT_OPTIONS)): ResourcePolicies {
  return {
    async policyOf(secretArn) {
      try {
        const { ResourcePolicy } = await client.send(new GetResourcePolicyCommand({ SecretId: secretArn }));
        return ResourcePolicy;
      } catch (error) {
        throw awsError(error, `read the resource policy of ${secretArn}`, {
          ResourceNotFoundException: "SECRET_UNREADABLE",
        });
      }
    },
  };
}
