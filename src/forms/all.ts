/** Every form, in the order in which they are asked. */

import { erased } from "./core.ts";
import { dotForm } from "./dot/form.ts";
import { extremeForm } from "./extremeForm.ts";
import type { Form } from "./form.ts";
import { gatherForm } from "./gather.ts";
import { islandForm } from "./island.ts";
import { linearForm } from "./linearForm.ts";
import { meanForm } from "./meanForm.ts";
import { movementForm } from "./movement.ts";
import { programForm } from "./program.ts";
import { tableForm } from "./table.ts";

export const FORMS: readonly Form<unknown>[] = [
  erased(movementForm),
  erased(gatherForm),
  erased(dotForm),
  erased(tableForm),
  erased(linearForm),
  erased(meanForm),
  erased(extremeForm),
  erased(programForm),
  erased(islandForm),
];
