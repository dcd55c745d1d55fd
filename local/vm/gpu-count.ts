/** How many GPUs a size has, by Azure's naming: https://learn.microsoft.com/azure/virtual-machines/sizes/overview. Fractions count as one. */
export function gpuCountOf(vmSize: string): number {
  const [, family = "", cores = "0"] = /^Standard_(N[CDGV])(\d+)/i.exec(vmSize) ?? [];
  const size = Number(cores);
  if (family.toUpperCase() === "ND") return 8;
  if (/T4/i.test(vmSize)) return size >= 64 ? 4 : 1;
  if (/A100/i.test(vmSize)) return Math.max(1, Math.round(size / 24));
  if (/H100|H200/i.test(vmSize)) return Math.max(1, Math.round(size / 40));
  if (/A10/i.test(vmSize)) return size >= 72 ? 2 : 1;
  if (/^Standard_NC\d+r?s_v3/i.test(vmSize)) return Math.max(1, Math.round(size / 6));
  return family ? 1 : 0;
}
