/** Changes to lib/rotation that no test notices, and why that is right. By file; a change reads `before => after`. */
export const UNNOTICED: Readonly<
  Record<string, readonly { readonly why: string; readonly changes: readonly string[] }[]>
> = {
  "lib/rotation/board.ts": [
    {
      why: "A secret that is not due has no line, so its mark is never shown; the type wants one.",
      changes: ['notDue: ":zzz:", => notDue: "",'],
    },
  ],
  "lib/rotation/consumers.ts": [
    {
      why: "The index yields only ARNs of the secrets that were given, each has its entry, and the group of a match is always there: the other way is never gone.",
      changes: [
        'if (viaParameter) return { secret: viaParameter[1] ?? "", jsonKey: "", stage: "", versionId: "" }; => if (viaParameter) return { secret: viaParameter[1] ?? "Stryker was here!", jsonKey: "", stage: "", versionId: "" };',
        'const found = [...(services.get(secret.arn)?.values() ?? [])]; => const found = [...(services.get(secret.arn)?.values() ?? ["Stryker was here"])];',
        'return [secret.arn, { services: found, tasks: tasks.get(secret.arn) ?? [], missing }]; => return [secret.arn, { services: found, tasks: tasks.get(secret.arn) ?? ["Stryker was here"], missing }];',
        "const before = known?.get(service.name)?.references ?? []; => const before = known.get(service.name)?.references ?? [];",
        "known?.set(service.name, { service, references: [...before, ...fresh] }); => known.set(service.name, { service, references: [...before, ...fresh] });",
        "else tasks.get(arn)?.push({ task, references }); => else tasks.get(arn).push({ task, references });",
        "const found = [...(services.get(secret.arn)?.values() ?? [])]; => const found = [...(services.get(secret.arn).values() ?? [])];",
      ],
    },
    {
      why: "Nothing is found under undefined: no service has that name, no secret that ARN.",
      changes: [
        "const service = task.service === undefined ? undefined : byName.get(task.service); => const service = false ? undefined : byName.get(task.service);",
        "if (arn !== undefined) groups.set(arn, [...(groups.get(arn) ?? []), reference]); => if (true) groups.set(arn, [...(groups.get(arn) ?? []), reference]);",
      ],
    },
    {
      why: "What is matched is greedy and a name has no line break: it ends at the end anyway.",
      changes: [
        "const viaParameter = /(?:^|:parameter)\\/aws\\/reference\\/secretsmanager\\/(.+)$/.exec(value); => const viaParameter = /(?:^|:parameter)\\/aws\\/reference\\/secretsmanager\\/(.+)/.exec(value);",
      ],
    },
    {
      why: "A reference without a `via` is neither of the two kinds, and none is looked for.",
      changes: [
        'const all = definitions.flatMap((arn) => fleet.taskDefinitions.get(arn)?.references ?? []); => const all = definitions.flatMap((arn) => fleet.taskDefinitions.get(arn)?.references ?? ["Stryker was here"]);',
      ],
    },
  ],
  "lib/rotation/decide.ts": [
    {
      why: "No time is earlier than one that is not there.",
      changes: [
        "if (facts.promotableUntil !== undefined && facts.promotableUntil < now) { => if (true && facts.promotableUntil < now) {",
      ],
    },
  ],
  "lib/rotation/drift.ts": [
    {
      why: "Only of a current value are credentials read and asked: what shows a version always has one.",
      changes: [
        'const [secret, version] = [facts.name, facts.current?.versionId ?? ""]; => const [secret, version] = [facts.name, facts.current?.versionId ?? "Stryker was here!"];',
      ],
    },
    {
      why: "No date is before undefined, and since when a value is current has been asked before.",
      changes: ["since !== undefined && task.createdAt < since; => true && task.createdAt < since;"],
    },
  ],
  "lib/rotation/forward.ts": [
    {
      why: "No time is later than one that is not there.",
      changes: [
        "if (waits.length === 0 && quietLast !== undefined && quietLast > now) waits.push(untilQuiet(quietLast)); => if (waits.length === 0 && true && quietLast > now) waits.push(untilQuiet(quietLast));",
      ],
    },
  ],
  "lib/rotation/managed.ts": [
    {
      why: "A secret of one credential has no fields, and an option of a field that is not declared is objected to by itself.",
      changes: [
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the source as it stands there
        "field !== undefined && tags.has(`rekey:${option}:${field}`) => true && tags.has(`rekey:${option}:${field}`)",
      ],
    },
    {
      why: "A tag's name was taken from the tags, a split has a first part, and a group of a match is always there.",
      changes: [
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
        '? fields.map((field) => one(field, tags.get(`rekey:field:${field}`) ?? "")) => ? fields.map((field) => one(field, tags.get(`rekey:field:${field}`) ?? "Stryker was here!"))',
        'const [kind = "", ...tail] = rest.split(":"); => const [kind = "Stryker was here!", ...tail] = rest.split(":");',
        'const [name = "", field = "", ...rest] = pair.split("="); => const [name = "Stryker was here!", field = "", ...rest] = pair.split("=");',
        'const [whole, scheme = "", user = "", password = ""] = userinfo; => const [whole, scheme = "Stryker was here!", user = "", password = ""] = userinfo;',
        'const [whole, scheme = "", user = "", password = ""] = userinfo; => const [whole, scheme = "", user = "Stryker was here!", password = ""] = userinfo;',
        'const [whole, scheme = "", user = "", password = ""] = userinfo; => const [whole, scheme = "", user = "", password = "Stryker was here!"] = userinfo;',
      ],
    },
    {
      why: "The empty parts between two spaces are filtered out.",
      changes: [
        'declaredConsumers: (tags.get("rekey:consumers") ?? "").split(/[\\s]+/).filter((text) => text !== ""), => declaredConsumers: (tags.get("rekey:consumers") ?? "").split(/[\\s]/).filter((text) => text !== ""),',
        'for (const pair of (text ?? "").split(/\\s+/).filter((part) => part !== "")) { => for (const pair of (text ?? "").split(/\\s/).filter((part) => part !== "")) {',
      ],
    },
    {
      why: "A cache: asked again, the same document gives the same field.",
      changes: ["settled.set(name, found); => ;"],
    },
    {
      why: "A field without a text holds no URL, and neither does the other text.",
      changes: [
        'const text = document.reveal(field) ?? ""; => const text = document.reveal(field) ?? "Stryker was here!";',
      ],
    },
  ],
  "lib/rotation/mend.ts": [
    {
      why: "What is pinned names a stage or a version, which stand behind the key: a key's place is always there.",
      changes: [
        'return [...parts.slice(0, 7), parts[7] ?? "", "", ""].join(":"); => return [...parts.slice(0, 7), parts[7] ?? "Stryker was here!", "", ""].join(":");',
      ],
    },
  ],
  "lib/rotation/preflight.ts": [
    {
      why: "No variable is called undefined, or what stands there instead.",
      changes: [
        "const fields = managed.credentials.flatMap(({ field }) => (field === undefined ? [] : [field])); => const fields = managed.credentials.flatMap(({ field }) => (false ? [] : [field]));",
        'const fields = managed.credentials.flatMap(({ field }) => (field === undefined ? [] : [field])); => const fields = managed.credentials.flatMap(({ field }) => (field === undefined ? ["Stryker was here"] : [field]));',
      ],
    },
  ],
  "lib/rotation/rollout.ts": [
    {
      why: "What is compared with the id of a deployment is the id of one or undefined, and the two are never mixed: none is called so, and none has no id.",
      changes: [
        'const lone = question.consumers.tasks.find(({ task }) => holds(task, question.holding, [], undefined)); => const lone = question.consumers.tasks.find(({ task }) => holds(task, question.holding, ["Stryker was here"], undefined));',
        '...(deployment ? [deployment] : []), => ...(deployment ? [deployment] : ["Stryker was here"]),',
        '...(newest && newest.createdAt.getTime() >= holding.before.getTime() + CLOCK_MARGIN_MS ? [newest] : []), => ...(newest && newest.createdAt.getTime() >= holding.before.getTime() + CLOCK_MARGIN_MS ? [newest] : ["Stryker was here"]),',
        "if (task.startedBy !== undefined && fresh.includes(task.startedBy)) return false; => if (true && fresh.includes(task.startedBy)) return false;",
      ],
    },
    {
      why: "A deployment of ours is found by its record alone: where there is no record, neither has failed.",
      changes: [
        'return { state: "failed", because: deployment?.reason ?? record?.reason ?? "its deployment failed" }; => return { state: "failed", because: deployment?.reason ?? record.reason ?? "its deployment failed" };',
      ],
    },
    {
      why: "A deployment that has the record's own id was found by it two lines before.",
      changes: [
        "const others = records.filter((one) => one !== record).map(({ deploymentId }) => deploymentId); => const others = records.map(({ deploymentId }) => deploymentId);",
        "const others = records.filter((one) => one !== record).map(({ deploymentId }) => deploymentId); => const others = records.filter((one) => true).map(({ deploymentId }) => deploymentId);",
      ],
    },
    {
      why: "No time is later than one that is not there.",
      changes: [
        "if (since !== undefined && task.createdAt >= since) return false; => if (true && task.createdAt >= since) return false;",
      ],
    },
  ],
  "lib/rotation/secretStore.ts": [
    {
      why: "Nothing is earlier or later than undefined, so what has no time still comes out as undefined; the line is for the types.",
      changes: ["if (createdAt === undefined) return undefined; => if (false) return undefined;"],
    },
    {
      why: "Where the two times are the same, either is the answer.",
      changes: [
        "return lastRotatedAt && lastRotatedAt > createdAt ? lastRotatedAt : createdAt; => return lastRotatedAt && lastRotatedAt >= createdAt ? lastRotatedAt : createdAt;",
      ],
    },
  ],
  "lib/rotation/selection.ts": [
    {
      why: "A name that Secrets Manager allows also matches itself as a pattern; the line spares the compiling.",
      changes: [
        "if (pattern === name || pattern === arn) return true; => if (pattern === name && pattern === arn) return true;",
        "if (pattern === name || pattern === arn) return true; => if (false) return true;",
        "if (pattern === name || pattern === arn) return true; => if (false || pattern === arn) return true;",
        "if (pattern === name || pattern === arn) return true; => if (pattern === name || false) return true;",
      ],
    },
  ],
  "lib/rotation/wayBack.ts": [
    {
      why: "What is no time parses to NaN, and NaN is less than nothing.",
      changes: [
        'const msSince = (time: string | undefined) => now.getTime() - Date.parse(time ?? ""); => const msSince = (time: string | undefined) => now.getTime() - Date.parse(time ?? "Stryker was here!");',
        "return demotedAt !== undefined && now.getTime() - Date.parse(demotedAt) < STALE_MS => return true && now.getTime() - Date.parse(demotedAt) < STALE_MS",
      ],
    },
  ],
};
