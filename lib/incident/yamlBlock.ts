/** A piece of YAML in a page, with the page's line for each of its keys. Build only. */
import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { Complain } from "./problem.ts";

export interface Block {
  /** Undefined if it does not read; that has been told. */
  readonly value: unknown;
  /** The line of the innermost key of the path that is there. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** @param firstLine the line of the page on which the YAML begins */
export function readYaml(text: string, firstLine: number, complain: Complain): Block {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "core",
    uniqueKeys: true,
    prettyErrors: false,
  });
  const lineAt = (offset: number) => firstLine + Math.max(lines.linePos(offset).line, 1) - 1;
  const wrong = [...document.errors, ...document.warnings];
  for (const { message, pos } of wrong) {
    const fix = "put texts with special signs, such as {{...}}, in quotes";
    complain(lineAt(pos[0]), `the YAML does not read: ${message}`, fix);
  }
  const lineOf = (path: readonly PropertyKey[]) => lineAt(offsetOf(document.contents, path));
  if (wrong.length > 0) return { value: undefined, lineOf };
  try {
    // An alias may be a bomb, and nobody needs one here.
    return { value: document.toJS({ maxAliasCount: 0 }), lineOf };
  } catch (error) {
    complain(firstLine, `the YAML does not read: ${String(error)}`, "write the value out in each place");
    return { value: undefined, lineOf };
  }
}

function offsetOf(contents: Node | null, path: readonly PropertyKey[]): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const name of path) {
    if (!isMap(node)) break;
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === name);
    if (!pair || !isScalar(pair.key)) break;
    offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
