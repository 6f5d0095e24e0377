/** The benches of `npm run bench -- detect`, in the order in which they run. */
import { detectScan, linesOfScan } from "./detectScan.ts";
import type { Line } from "./line.ts";
import { lookupEfficiency, lookupLines } from "./lookups.ts";

interface DetectionBench {
  /** Under which the result stands in `--json`. */
  readonly name: string;
  readonly run: () => Promise<{ readonly result: unknown; readonly lines: readonly Line[] }>;
}

export const DETECTION_BENCHES: readonly DetectionBench[] = [
  {
    name: "scan",
    run: async () => {
      const result = await detectScan();
      return { result, lines: linesOfScan(result) };
    },
  },
  {
    name: "lookups",
    run: async () => {
      const result = await lookupEfficiency();
      return { result, lines: lookupLines(result) };
    },
  },
];
