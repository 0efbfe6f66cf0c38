/** The typed error a promise is refused with, for tests. */
import { ModelError, SessionError } from "../../src/errors.ts";

/** throws when nothing is refused, and whatever is no ModelError or SessionError. */
export async function refused(attempt: () => Promise<unknown>): Promise<ModelError | SessionError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof ModelError || error instanceof SessionError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
