import { expect, it } from "vitest";
import { apiServerVote } from "../pod-security/api-server";
import { stopsBeforeWriting } from "../policy/stop";

const MINUTE = 60_000;

/** Tests the policy pack with a cluster. */
export function policies(kubeconfig: () => string): void {
  it(
    "refuse violations before anything is written",
    async () => {
      const { preview, written, writtenByUpdate } = await stopsBeforeWriting(kubeconfig());
      expect(preview).toContain("[mandatory]");
      expect({ written, writtenByUpdate }).toEqual({ written: false, writtenByUpdate: false });
    },
    3 * MINUTE,
  );

  it(
    "refuse the same pods as Pod Security admission does",
    async () => {
      const seed = Date.now() % 1_000_000;
      console.log(`random pods from the seed ${seed}`);
      const { judged, refused, differences } = await apiServerVote(kubeconfig(), seed, 300);
      expect({ judged: judged >= 300, refused: refused > 0, differences }).toEqual({
        judged: true,
        refused: true,
        differences: [],
      });
    },
    3 * MINUTE,
  );
}
