/** A VM size as the Compute provider knows it. */
export interface VmSize {
  readonly name: string;
  readonly family: string;
  readonly vcpus: number;
  readonly memoryGiB: number;
  readonly gpus: number;
  readonly gpu?: string;
}

const T4 = "StandardNCASv3_T4Family";
const V100 = "standardNCSv3Family";
const A100 = "StandardNCADSA100v4Family";
const H100 = "StandardNCadsH100v5Family";
const A10 = "StandardNVADSA10v5Family";
const CPU = "standardDSv5Family";

type Row = readonly [name: string, family: string, vcpus: number, memoryGiB: number, gpus: number, gpu?: string];

const ROWS: readonly Row[] = [
  ["Standard_NC4as_T4_v3", T4, 4, 28, 1, "T4"],
  ["Standard_NC8as_T4_v3", T4, 8, 56, 1, "T4"],
  ["Standard_NC16as_T4_v3", T4, 16, 110, 1, "T4"],
  ["Standard_NC64as_T4_v3", T4, 64, 440, 4, "T4"],
  ["Standard_NC6s_v3", V100, 6, 112, 1, "V100"],
  ["Standard_NC12s_v3", V100, 12, 224, 2, "V100"],
  ["Standard_NC24s_v3", V100, 24, 448, 4, "V100"],
  ["Standard_NC24ads_A100_v4", A100, 24, 220, 1, "A100"],
  ["Standard_NC48ads_A100_v4", A100, 48, 440, 2, "A100"],
  ["Standard_NC96ads_A100_v4", A100, 96, 880, 4, "A100"],
  ["Standard_NC40ads_H100_v5", H100, 40, 320, 1, "H100"],
  ["Standard_NC80adis_H100_v5", H100, 80, 640, 2, "H100"],
  ["Standard_NV6ads_A10_v5", A10, 6, 55, 1 / 6, "A10"],
  ["Standard_NV12ads_A10_v5", A10, 12, 110, 1 / 3, "A10"],
  ["Standard_NV18ads_A10_v5", A10, 18, 220, 1 / 2, "A10"],
  ["Standard_NV36ads_A10_v5", A10, 36, 440, 1, "A10"],
  ["Standard_NV72ads_A10_v5", A10, 72, 880, 2, "A10"],
  ["Standard_ND96asr_v4", "StandardNDASv4_A100Family", 96, 900, 8, "A100"],
  ["Standard_ND96amsr_A100_v4", "standardNDAMSv4_A100Family", 96, 1800, 8, "A100"],
  ["Standard_ND96isr_H100_v5", "standardNDSH100v5Family", 96, 1900, 8, "H100"],
  ["Standard_ND96isr_H200_v5", "standardNDSH200v5Family", 96, 1850, 8, "H200"],
  ["Standard_D2s_v5", CPU, 2, 8, 0],
  ["Standard_D4s_v5", CPU, 4, 16, 0],
  ["Standard_D8s_v5", CPU, 8, 32, 0],
];

export const VM_SIZES: readonly VmSize[] = ROWS.map(([name, family, vcpus, memoryGiB, gpus, gpu]) => ({
  name,
  family,
  vcpus,
  memoryGiB,
  gpus,
  ...(gpu ? { gpu } : {}),
}));

export const VM_FAMILIES: readonly string[] = [...new Set(VM_SIZES.map(({ family }) => family))];

export const isGpuFamily = (family: string): boolean =>
  VM_SIZES.some((size) => size.family === family && size.gpus > 0);

export function findVmSize(name: string): VmSize | undefined {
  return VM_SIZES.find((size) => size.name.toLowerCase() === name.toLowerCase());
}
