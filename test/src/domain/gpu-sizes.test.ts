import { GPU_SIZES, gpuSizeOf } from "../../../src/domain/gpu-sizes";

it("finds a size however it is spelled, and none that it does not know", () => {
  expect(gpuSizeOf("standard_nc4AS_t4_v3")?.vcpus).toBe(4);
  expect(gpuSizeOf("Standard_D2s_v5")).toBeUndefined();
});

it("lists each size once, with whole GPUs and no spot price above the list price", () => {
  expect(new Set(GPU_SIZES.map(({ vmSize }) => vmSize.toLowerCase())).size).toBe(GPU_SIZES.length);
  expect(
    GPU_SIZES.filter(({ gpus, spotUsdPerHour, onDemandUsdPerHour }) => gpus < 1 || spotUsdPerHour > onDemandUsdPerHour),
  ).toEqual([]);
});
