import { z } from "zod";
import { httpUrl } from "../../config/types";
import { allowEgress, pods, portOf } from "../../kubernetes/network";
import type { Workload } from "../../kubernetes/workload";
import { TRACKING_URI } from "./address";

/** The argument of a component whose pods call a tracking server. */
export const trackingClient = z.object({
  trackingUri: httpUrl("http://mlflow.example.com:5000").default(TRACKING_URI),
});

/**
 * Lets the pods of a workload connect to their tracking server. The component TrackingServer allows this in its namespace. The
 * namespace may have another MLflow, which needs no policy, unless the pods have one for proxies, which denies all else.
 * @param proxied whether the pods have a network policy for proxies
 */
export function allowTracking(workload: Workload, trackingUri: string, proxied: boolean): void {
  const own = trackingUri === TRACKING_URI;
  if (own && !proxied) {
    return;
  }
  const port = portOf(new URL(trackingUri));
  workload.networkPolicy("tracking", allowEgress(workload.selector, own ? [pods({})] : [], [port]));
}
