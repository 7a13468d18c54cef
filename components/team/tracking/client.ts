import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parseArgs } from "../../config/errors";
import { httpUrl } from "../../config/types";
import { allowEgress, pods, portOf } from "../../kubernetes/network";
import type { Workload } from "../../kubernetes/workload";
import { TRACKING_URI } from "./address";

const trackingClient = z.object({ trackingUri: httpUrl("http://mlflow.example.com:5000") });

/**
 * The URL of the tracking server that the pods of a component call, checked: a plain value at once, an output when it is known.
 * @param name of the component, for messages
 * @param uri its argument. Default: the tracking server of its namespace
 */
export function checkedTrackingUri(
  name: string,
  uri: pulumi.Input<string> = TRACKING_URI,
): pulumi.Input<string> {
  const check = (trackingUri: string) =>
    parseArgs(trackingClient, { trackingUri }, name).trackingUri;
  return typeof uri === "string" ? check(uri) : pulumi.output(uri).apply(check);
}

/**
 * Lets the pods of a workload connect to their tracking server. The component TrackingServer allows this in its namespace. The
 * namespace may have another MLflow, which needs no policy, unless the pods have one for proxies, which denies all else.
 * @param proxied whether the pods have a network policy for proxies
 */
export function allowTracking(
  workload: Workload,
  trackingUri: pulumi.Input<string>,
  proxied: boolean,
): void {
  if (trackingUri === TRACKING_URI && !proxied) {
    return;
  }
  const spec = pulumi.output(trackingUri).apply((url) => {
    const to = url === TRACKING_URI ? [pods({})] : [];
    return allowEgress(workload.selector, to, [portOf(new URL(url))]);
  });
  workload.networkPolicy("tracking", spec);
}
