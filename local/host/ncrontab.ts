import { Cron } from "croner";
import { durationMsOf } from "./host-json";

/** When a timer trigger fires. */
export interface Schedule {
  next(after: Date): Date | undefined;
}

/**
 * Reads a timer trigger's schedule: NCRONTAB with six fields (seconds first) or five, or a time span. Unlike cron, NCRONTAB
 * wants day of month and day of week both to fit. Times are UTC, or in the zone that the setting WEBSITE_TIME_ZONE names.
 */
export function parseSchedule(text: string, timeZone = "UTC"): Schedule {
  const intervalMs = durationMsOf(text);
  if (intervalMs !== undefined) {
    if (intervalMs <= 0) throw new Error(`Schedule '${text}' never fires`);
    return { next: (after) => new Date(after.getTime() + intervalMs) };
  }
  if (!/^\S+(\s+\S+){4,5}$/.test(text.trim()))
    throw new Error(`Schedule '${text}' is no NCRONTAB expression: six fields, seconds first`);
  const cron = new Cron(text.trim(), { timezone: timeZone, domAndDow: true, mode: "5-or-6-parts", paused: true });
  return { next: (after) => cron.nextRun(after) ?? undefined };
}
