/**
 * What Rekey asks IAM and STS, over AWS's query protocol: who am I, what may that one do, and the keys and role policies of
 * an incident. Everything is allowed that no rule denies; a rule that hangs on a tag says so in MissingContextValues, as the
 * policy simulator does.
 */
import { randomUUID } from "node:crypto";
import { IamIdentities } from "./iamIdentities.ts";
import type { Route, ServedCall } from "./server.ts";
import { AwsError, type AwsService, type Caller } from "./service.ts";

interface Rule {
  /** Part of the resources' ARN; every resource when left out. */
  readonly resource?: string;
  /** Denied only to resources without this tag. */
  readonly unlessTagged?: string;
}

const MAX_RESOURCES = 1000;

export class Iam {
  /** Action -> what is denied. */
  readonly denied = new Map<string, Rule>();
  /** `absent`: as in a cloud that has no IAM. */
  mood: "served" | "forbidden" | "absent" | "silent" = "served";
  calls = 0;
  /** Users with their keys, and roles with their policies. */
  readonly identities = new IamIdentities();
  /** Operation -> how the next call of it ends: served and never answered, or not even served. */
  readonly lose = new Map<string, "after" | "before">();
  readonly #principalOf: (accessKeyId: string) => string;
  readonly #observe: (call: ServedCall) => void;

  constructor(principalOf: (accessKeyId: string) => string, observe: (call: ServedCall) => void) {
    this.#principalOf = principalOf;
    this.#observe = observe;
  }

  readonly route: Route = (request, body, response) => {
    const input = new URLSearchParams(body.toString("utf8"));
    const operation = input.get("Action") ?? "";
    const { service, run } = this.#operations[operation] ?? {};
    if (!service || !run || this.mood === "absent") return void response.writeHead(404).end();
    if (this.mood === "silent") return;
    this.calls += 1;
    const accessKey = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const caller = {
      principalArn: this.#principalOf(accessKey),
      userAgent: request.headers["user-agent"] ?? "",
    };
    const requestId = randomUUID();
    const call = { service, operation, input: Object.fromEntries(input), caller, requestId, at: new Date() };
    const answer = (status: number, xml: string) =>
      response.writeHead(status, { "content-type": "text/xml", "x-amzn-requestid": requestId }).end(xml);
    try {
      if (this.mood === "forbidden")
        throw new AwsError("AccessDenied", `not authorized to ${operation}`, 403);
      const lost = this.lose.get(operation);
      this.lose.delete(operation);
      if (lost === "before") return void response.destroy();
      const result = run(input, caller);
      this.#observe(call);
      if (lost === "after") return void response.destroy();
      answer(200, `<${operation}Response>${element(`${operation}Result`, result)}</${operation}Response>`);
    } catch (error) {
      const known = error instanceof AwsError ? error : new AwsError("InternalFailure", "it crashed", 500);
      this.#observe({ ...call, error: known });
      const { type: Code, message: Message } = known;
      answer(known.status, `<ErrorResponse>${element("Error", { Code, Message })}</ErrorResponse>`);
    }
  };

  readonly #operations: Readonly<
    Record<string, { service: AwsService; run: (input: URLSearchParams, caller: Caller) => object }>
  > = {
    GetCallerIdentity: {
      service: { targetPrefix: "", eventSource: "sts.amazonaws.com", operations: {}, limits: [] },
      run: (_input, { principalArn }) => ({ Arn: principalArn, Account: principalArn.split(":")[4] }),
    },
    SimulatePrincipalPolicy: {
      service: { targetPrefix: "", eventSource: "iam.amazonaws.com", operations: {}, limits: [] },
      run: (input) => this.identities.simulate(input) ?? this.#simulate(input),
    },
    ...Object.fromEntries(
      Object.entries(this.identities.operations).map(([name, run]) => [
        name,
        {
          service: { targetPrefix: "", eventSource: "iam.amazonaws.com", operations: {}, limits: [] },
          run,
        },
      ]),
    ),
  };

  #simulate(input: URLSearchParams): object {
    if (!/^arn:aws:iam::\d{12}:(role|user)\//.test(input.get("PolicySourceArn") ?? ""))
      throw new AwsError("InvalidInput", "PolicySourceArn must name a role, a user or a group");
    const resources = listed(input, "ResourceArns");
    if (resources.length > MAX_RESOURCES) throw new AwsError("InvalidInput", "too many resources");
    const given = new Set(
      [...input].filter(([key]) => /^ContextEntries\..*ContextKeyName$/.test(key)).map(([, value]) => value),
    );
    return {
      IsTruncated: "false",
      EvaluationResults: listed(input, "ActionNames").map((action) => {
        const rule = this.denied.get(action);
        const key = rule?.unlessTagged === undefined ? undefined : `aws:ResourceTag/${rule.unlessTagged}`;
        const isDenied = (arn: string) =>
          rule !== undefined && arn.includes(rule.resource ?? "") && (key === undefined || !given.has(key));
        const missing = key === undefined || given.has(key) ? [] : [key];
        return {
          EvalActionName: action,
          EvalDecision: resources.some(isDenied) ? "implicitDeny" : "allowed",
          ResourceSpecificResults: resources.map((arn) => ({
            EvalResourceName: arn,
            EvalResourceDecision: isDenied(arn) ? "implicitDeny" : "allowed",
            MissingContextValues: missing,
          })),
        };
      }),
    };
  }
}

function listed(input: URLSearchParams, name: string): string[] {
  return [...input].filter(([key]) => key.startsWith(`${name}.member.`)).map(([, value]) => value);
}

/** Lists as the query protocol writes them: one `member` for each. */
function element(name: string, value: unknown): string {
  const content = Array.isArray(value)
    ? value.map((one) => element("member", one)).join("")
    : typeof value === "object" && value !== null
      ? Object.entries(value)
          .map(([key, one]) => element(key, one))
          .join("")
      : String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<${name}>${content}</${name}>`;
}
