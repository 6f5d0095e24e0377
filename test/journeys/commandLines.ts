/** What `ps` would have shown anybody on the machine. */
import { readdirSync, readFileSync } from "node:fs";

const LOOK_MS = 40;

/** Looks at every process of the machine again and again, since a short-lived one shows for milliseconds. */
export class CommandLines {
  /** Every command line that ever stood there. */
  readonly lines = new Set<string>();
  looks = 0;
  readonly #timer = setInterval(() => this.#look(), LOOK_MS);

  #look(): void {
    this.looks += 1;
    for (const entry of readdirSync("/proc")) {
      const line = /^\d+$/.test(entry) ? commandLine(entry) : "";
      if (line === "") continue;
      this.lines.add(line);
    }
  }

  showing(values: readonly string[]): string[] {
    return values.filter((value) => [...this.lines].some((line) => line.includes(value)));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Empty for a kernel thread, and for a process that ended meanwhile. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
