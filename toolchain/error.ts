/** An error with a complete message for the user: commands print it without a stack trace. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}
