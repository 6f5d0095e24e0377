/**
 * DuckDB on two threads, in the fastest of the ways that were tried: only the fields of the question, typed, and each file as
 * the one line that it is. Objects taken apart by JSON paths, and files of any layout, took longer.
 */
import { dirname } from "node:path";
import type { Answer } from "./question.ts";
import { answer } from "./question.ts";

interface DuckDB {
  readonly DuckDBInstance: {
    create(path: string, options: Readonly<Record<string, string>>): Promise<Instance>;
  };
}
interface Instance {
  connect(): Promise<{ runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): unknown }> }>;
}

const RECORD = `STRUCT(
  eventSource VARCHAR, eventName VARCHAR, errorCode VARCHAR,
  userIdentity STRUCT(arn VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR))),
  requestParameters STRUCT(secretId VARCHAR)
)`;

const [, moduleFile = ""] = process.argv.slice(2);
const { DuckDBInstance } = (await import(moduleFile)) as DuckDB;

await answer(async ([first = ""]) => {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  const found = await connection.runAndReadAll(`
    SELECT coalesce(r.userIdentity.sessionContext.sessionIssuer.arn, r.userIdentity.arn) AS principal,
           count(*)::INTEGER AS reads, count(DISTINCT r.requestParameters.secretId)::INTEGER AS secrets
    FROM (SELECT unnest(Records) AS r
          FROM read_json('${dirname(first)}/*.json.gz', columns = {Records: '${RECORD}[]'},
                         format = 'newline_delimited', maximum_object_size = 67108864))
    WHERE r.eventSource = 'secretsmanager.amazonaws.com' AND r.eventName = 'GetSecretValue' AND r.errorCode IS NULL
    GROUP BY ALL ORDER BY principal`);
  return found.getRowObjectsJson() as readonly Answer[];
});
