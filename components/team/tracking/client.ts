import { z } from "zod";
import { httpUrl } from "../../config/types";
import { allowEgress, portOf } from "../../kubernetes/network";
import type { Workload } from "../../kubernetes/workload";
import { TRACKING_URI } from "./address";

/** The argument of a component whose pods call a tracking server. */
export const trackingClient = z.object({
  trackingUri: httpUrl("http://mlflow.example.com:5000").default(TRACKING_URI),
});

/**
 * Lets the pods of a workload connect to a tracking server of another namespace or cluster. The one of their own namespace
 * has a network policy for its clients.
 */
export function allowTracking(workload: Workload, trackingUri: string): void {
  if (trackingUri === TRACKING_URI) {
    return;
  }
  const port = portOf(new URL(trackingUri));
  workload.networkPolicy("tracking", allowEgress(workload.selector, [], [port]));
}
