/** The paths of a model service that are served outside of the cluster: predictions and their description, not metrics. */
export const PUBLIC_PATHS = ["/predict", "/v2", "/docs", "/openapi.json"];
