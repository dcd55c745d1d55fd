import { ACCESS_CHECK_COMMAND } from "./access/check";
import { ROLE_COMMANDS } from "./access/roles";
import { SHARE_COMMANDS } from "./access/share";
import { WHOAMI_COMMAND } from "./access/whoami";
import { AUDIT_COMMANDS } from "./audit/audit";
import type { Command } from "./command";
import { JOB_COMMANDS } from "./job";
import { LOGIN_COMMANDS } from "./login";
import { SECRET_COMMANDS } from "./secret/secret";
import { SUBMIT_COMMAND } from "./submit";

/** All that `corral` can do. */
export const COMMANDS: readonly Command[] = [
  SUBMIT_COMMAND,
  ...JOB_COMMANDS,
  ...LOGIN_COMMANDS,
  WHOAMI_COMMAND,
  ...SHARE_COMMANDS,
  ...ROLE_COMMANDS,
  ACCESS_CHECK_COMMAND,
  ...AUDIT_COMMANDS,
  ...SECRET_COMMANDS,
];
