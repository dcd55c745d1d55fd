/** A GPU VM size with what placement needs to know of it. */
export interface GpuSize {
  readonly vmSize: string;
  readonly gpus: number;
  readonly gpuType: string;
  readonly vcpus: number;
  /** Row of the usages API that counts its cores; compare without case and spaces. */
  readonly family: string;
  /** Linux pay-as-you-go in eastus, USD per hour: an estimate for ordering and display, the fallback of the prices API. */
  readonly onDemandUsdPerHour: number;
  readonly spotUsdPerHour: number;
}

const size = (
  vmSize: string,
  [gpus, gpuType, vcpus, family]: readonly [number, string, number, string],
  [onDemandUsdPerHour, spotUsdPerHour]: readonly [number, number],
): GpuSize => ({ vmSize, gpus, gpuType, vcpus, family, onDemandUsdPerHour, spotUsdPerHour });

const T4 = "StandardNCASv3_T4Family";
const A10 = "StandardNVADSA10v5Family";
const A100 = "StandardNCADSA100v4Family";
const H100 = "StandardNCadsH100v5Family";

/**
 * Sizes, quota families and list prices from Azure/karpenter-provider-azure (supported-gpus.yaml, zz_generated.pricing.go of 2026-06-18);
 * spot prices by the ratios of skypilot-catalog's azure/vms.csv. A whole GPU or more only: fractions of an A10 are no GPU to a job.
 */
export const GPU_SIZES: readonly GpuSize[] = [
  size("Standard_NC4as_T4_v3", [1, "T4", 4, T4], [0.526, 0.063]),
  size("Standard_NC8as_T4_v3", [1, "T4", 8, T4], [0.752, 0.09]),
  size("Standard_NC16as_T4_v3", [1, "T4", 16, T4], [1.204, 0.144]),
  size("Standard_NC64as_T4_v3", [4, "T4", 64, T4], [4.352, 0.519]),
  size("Standard_NC24ads_A100_v4", [1, "A100", 24, A100], [3.673, 0.444]),
  size("Standard_NC48ads_A100_v4", [2, "A100", 48, A100], [7.346, 0.889]),
  size("Standard_NC96ads_A100_v4", [4, "A100", 96, A100], [14.692, 1.778]),
  size("Standard_NV36ads_A10_v5", [1, "A10", 36, A10], [3.2, 0.8]),
  size("Standard_NV72ads_A10_v5", [2, "A10", 72, A10], [6.52, 1.63]),
  size("Standard_NC40ads_H100_v5", [1, "H100", 40, H100], [6.98, 6.98]),
  size("Standard_NC80adis_H100_v5", [2, "H100", 80, H100], [13.96, 13.96]),
  size("Standard_ND96asr_v4", [8, "A100", 96, "StandardNDASv4_A100Family"], [27.197, 2.992]),
  size("Standard_ND96amsr_A100_v4", [8, "A100", 96, "standardNDAMSv4_A100Family"], [32.77, 3.605]),
  size("Standard_ND96isr_H100_v5", [8, "H100", 96, "standardNDSH100v5Family"], [98.32, 98.32]),
];

export function gpuSizeOf(vmSize: string): GpuSize | undefined {
  return GPU_SIZES.find((known) => known.vmSize.toLowerCase() === vmSize.toLowerCase());
}
