/**
 * IAM's policy simulator as the engine's Rights: who are we, and may we write these. A few calls for any number of secrets,
 * since IAM allows few. A simulation is first asked without context; the tags that the policies turn out to look at are
 * then given, for all secrets with the same values of these tags together.
 */
import type { ContextEntry, EvaluationResult } from "@aws-sdk/client-iam";
import { RekeyError } from "../errors.ts";
import type { Lack, Rights, RightsAnswer, Subject } from "../rotation/rights.ts";
import { awsError } from "./awsCalls.ts";

const ACTIONS: Readonly<Record<Subject["kind"], readonly string[]>> = {
  secret: ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
  service: ["ecs:UpdateService"],
};
/** For everything together. IAM is not worth waiting for: a Lambda in a VPC often cannot reach it at all. */
const TIMEOUT_MS = 3_000;
const RESOURCES_PER_CALL = 100;
/** Calls for secrets whose rights hang on the values of tags. */
const MAX_TAG_CALLS = 10;
const TAG_KEY = /^(?:aws|secretsmanager|ecs):ResourceTag\/(.+)$/;

type Clients = typeof import("./iamClients.ts");
type Simulate = (
  actions: readonly string[],
  arns: readonly string[],
  context: readonly ContextEntry[],
) => Promise<readonly EvaluationResult[]>;

export function iamRights(): Rights {
  return {
    async toWrite(subjects) {
      if (subjects.length === 0) return { lacking: [] };
      try {
        return await ask(await import("./iamClients.ts"), subjects, AbortSignal.timeout(TIMEOUT_MS));
      } catch (error) {
        return { lacking: [], unasked: awsError(error, "simulate the role's policies").message };
      }
    },
  };
}

async function ask(
  { IAMClient, STSClient, GetCallerIdentityCommand, SimulatePrincipalPolicyCommand }: Clients,
  subjects: readonly Subject[],
  abortSignal: AbortSignal,
): Promise<RightsAnswer> {
  const [sts, iam] = [new STSClient({ maxAttempts: 1 }), new IAMClient({ maxAttempts: 1 })];
  try {
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal });
    const principal = principalOf(Arn ?? "");
    const simulate: Simulate = async (actions, arns, context) => {
      const results: EvaluationResult[] = [];
      let Marker: string | undefined;
      do {
        const request = new SimulatePrincipalPolicyCommand({
          PolicySourceArn: principal,
          ActionNames: [...actions],
          ResourceArns: [...arns],
          ContextEntries: [...context],
          MaxItems: 1000,
          ...(Marker ? { Marker } : {}),
        });
        const page = await iam.send(request, { abortSignal });
        results.push(...(page.EvaluationResults ?? []));
        Marker = page.IsTruncated ? page.Marker : undefined;
      } while (Marker);
      return results;
    };
    const kinds = Map.groupBy(subjects, ({ kind }) => kind);
    const answers = await Promise.all(
      [...kinds].map(([kind, members]) => judge(simulate, ACTIONS[kind], members)),
    );
    const unasked = answers.find((answer) => answer.unasked !== undefined)?.unasked;
    return {
      principal,
      lacking: answers.flatMap(({ lacking }) => lacking),
      ...(unasked === undefined ? {} : { unasked }),
    };
  } finally {
    sts.destroy();
    iam.destroy();
  }
}

/** @throws RekeyError AWS_FAILED for a principal that IAM cannot simulate */
function principalOf(arn: string): string {
  const assumed = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  if (assumed) return `arn:${assumed[1]}:iam::${assumed[2]}:role/${assumed[3]}`;
  if (/:(user|role)\//.test(arn)) return arn;
  throw new RekeyError("AWS_FAILED", `the caller ${arn || "without a name"} is neither a role nor a user`);
}

async function judge(
  simulate: Simulate,
  actions: readonly string[],
  subjects: readonly Subject[],
): Promise<Pick<RightsAnswer, "lacking" | "unasked">> {
  const byArn = new Map(subjects.map((subject) => [subject.arn, subject]));
  const first = await inChunks([...byArn.keys()], async (arns) => denials(await simulate(actions, arns, [])));
  const lacking = first.filter(isDefinite(byArn));
  const hanging = first.filter((one) => !lacking.includes(one) && canBeSettled(one, byArn.get(one.arn)));
  const groups = [...Map.groupBy(hanging, (one) => JSON.stringify(contextOf(one, byArn.get(one.arn))))];
  const settled = await Promise.all(
    groups
      .slice(0, MAX_TAG_CALLS)
      .map(([context, members]) =>
        inChunks([...new Set(members.map(({ arn }) => arn))], async (arns) =>
          denials(
            await simulate([...new Set(members.map(({ action }) => action))], arns, JSON.parse(context)),
          ),
        ),
      ),
  );
  lacking.push(...settled.flat().filter(isDefinite(byArn)));
  const left = groups.slice(MAX_TAG_CALLS).flatMap(([, members]) => members);
  return {
    lacking: lacking.map(({ arn, action }) => ({ arn, action })),
    ...(left.length === 0 ? {} : { unasked: `the tags of ${left.length} resources all differ` }),
  };
}

interface DenialFound extends Lack {
  /** Context keys that a policy looks at and that were not given. */
  readonly missing: readonly string[];
}

function denials(results: readonly EvaluationResult[]): DenialFound[] {
  return results.flatMap((result) => {
    const whole = {
      EvalResourceName: result.EvalResourceName,
      EvalResourceDecision: result.EvalDecision,
      MissingContextValues: [],
    };
    const each = result.ResourceSpecificResults?.length ? result.ResourceSpecificResults : [whole];
    return each
      .filter(
        ({ EvalResourceDecision: decision }) => decision === "implicitDeny" || decision === "explicitDeny",
      )
      .map(({ EvalResourceName, MissingContextValues }) => ({
        arn: EvalResourceName ?? "",
        action: result.EvalActionName ?? "",
        missing: [...new Set([...(result.MissingContextValues ?? []), ...(MissingContextValues ?? [])])],
      }));
  });
}

/** A tag that is missing because the resource does not carry it leaves nothing open. */
const isDefinite = (byArn: ReadonlyMap<string, Subject>) => (one: DenialFound) => {
  const subject = byArn.get(one.arn);
  return subject !== undefined && one.missing.every((key) => isAbsentTag(key, subject));
};

function isAbsentTag(key: string, { tags }: Subject): boolean {
  const tag = TAG_KEY.exec(key)?.[1];
  return tag !== undefined && tags !== undefined && !tags.has(tag);
}

/** Whether every key that is missing is a tag that we know. */
const canBeSettled = ({ missing }: DenialFound, subject: Subject | undefined) =>
  subject?.tags !== undefined && missing.every((key) => TAG_KEY.test(key));

function contextOf({ missing }: DenialFound, subject: Subject | undefined): ContextEntry[] {
  return missing.toSorted().flatMap((key) => {
    const value = subject?.tags?.get(TAG_KEY.exec(key)?.[1] ?? "");
    return value === undefined
      ? []
      : [{ ContextKeyName: key, ContextKeyType: "string" as const, ContextKeyValues: [value] }];
  });
}

async function inChunks(
  arns: readonly string[],
  each: (arns: readonly string[]) => Promise<DenialFound[]>,
): Promise<DenialFound[]> {
  const found: DenialFound[] = [];
  for (let start = 0; start < arns.length; start += RESOURCES_PER_CALL)
    found.push(...(await each(arns.slice(start, start + RESOURCES_PER_CALL))));
  return found;
}
