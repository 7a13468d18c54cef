/** The Service of a tracking server, and with it its host name in its namespace. */
export const TRACKING_SERVICE = "mlflow";
export const TRACKING_PORT = 5000;

/** The URL of a tracking server inside its namespace. */
export const TRACKING_URI = `http://${TRACKING_SERVICE}:${TRACKING_PORT}`;
