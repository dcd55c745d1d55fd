const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** .NET's longest time, with which Azure says that something never ends. */
export const never = "P10675199DT2H48M5.4775807S";
const neverSeconds = 10_675_199 * 86_400;

/** Seconds of an ISO 8601 duration of days and less, as Service Bus writes them; undefined when it is none. */
export function secondsOf(duration: string): number | undefined {
  const parts = pattern.exec(duration);
  if (!parts || duration === "P" || duration.endsWith("T")) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(1)
    .map((part) => Number((part as string | undefined) ?? 0));
  const total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return total >= neverSeconds ? Infinity : total;
}

export function durationOf(seconds: number | undefined): string {
  if (seconds === undefined || seconds === Infinity) return never;
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Number((seconds % 60).toFixed(3));
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, rest && `${rest}S`].filter(Boolean).join("");
  if (days === 0 && time === "") return "PT0S";
  return `P${days ? `${days}D` : ""}${time && `T${time}`}`;
}
