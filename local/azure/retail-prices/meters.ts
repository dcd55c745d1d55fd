import { createHash } from "node:crypto";

/**
 * Linux pay-as-you-go in eastus, USD an hour, and spot as a part of it: karpenter-provider-azure's generated prices of 2026-06-18, spot
 * ratios of the skypilot catalog. The rows of H100 show no discount there. https://github.com/Azure/karpenter-provider-azure
 */
const VM_PRICES: readonly (readonly [size: string, usdPerHour: number, spotRatio: number])[] = [
  ["Standard_NC4as_T4_v3", 0.526, 0.12],
  ["Standard_NC8as_T4_v3", 0.752, 0.12],
  ["Standard_NC16as_T4_v3", 1.204, 0.12],
  ["Standard_NC64as_T4_v3", 4.352, 0.12],
  ["Standard_NC6s_v3", 3.06, 0.13],
  ["Standard_NC12s_v3", 6.12, 0.13],
  ["Standard_NC24s_v3", 12.24, 0.13],
  ["Standard_NC24ads_A100_v4", 3.673, 0.12],
  ["Standard_NC48ads_A100_v4", 7.346, 0.12],
  ["Standard_NC96ads_A100_v4", 14.692, 0.12],
  ["Standard_NC40ads_H100_v5", 6.98, 1],
  ["Standard_NC80adis_H100_v5", 13.96, 1],
  ["Standard_NV6ads_A10_v5", 0.454, 0.25],
  ["Standard_NV12ads_A10_v5", 0.908, 0.25],
  ["Standard_NV18ads_A10_v5", 1.6, 0.25],
  ["Standard_NV36ads_A10_v5", 3.2, 0.25],
  ["Standard_NV72ads_A10_v5", 6.52, 0.25],
  ["Standard_ND96asr_v4", 27.197, 0.11],
  ["Standard_ND96amsr_A100_v4", 32.77, 0.11],
  ["Standard_ND96isr_H100_v5", 98.32, 1],
  ["Standard_D2s_v5", 0.096, 0.2],
  ["Standard_D4s_v5", 0.192, 0.2],
  ["Standard_D8s_v5", 0.384, 0.2],
];

/** Beside eastus: the premium of a region, as the same source has it for two of them; the others are like eastus. */
const PREMIUMS: Readonly<Record<string, number>> = { southcentralus: 1.2, westus: 1.3 };
const WINDOWS_USD_PER_CORE_HOUR = 0.046;

export interface Meter {
  readonly currencyCode: string;
  readonly tierMinimumUnits: number;
  readonly retailPrice: number;
  readonly unitPrice: number;
  readonly armRegionName: string;
  readonly location: string;
  readonly effectiveStartDate: string;
  readonly meterId: string;
  readonly meterName: string;
  readonly productId: string;
  readonly skuId: string;
  readonly productName: string;
  readonly skuName: string;
  readonly serviceName: string;
  readonly serviceId: string;
  readonly serviceFamily: string;
  readonly unitOfMeasure: string;
  readonly type: "Consumption" | "Reservation" | "DevTestConsumption";
  readonly isPrimaryMeterRegion: boolean;
  readonly armSkuName: string;
  readonly reservationTerm?: string;
}

interface Kind {
  readonly suffix: "" | " Spot" | " Low Priority";
  readonly isWindows: boolean;
}

const KINDS: readonly Kind[] = [
  { suffix: "", isWindows: false },
  { suffix: " Spot", isWindows: false },
  { suffix: " Low Priority", isWindows: false },
  { suffix: "", isWindows: true },
  { suffix: " Spot", isWindows: true },
];

/** The meters of a region: Linux and Windows, pay as you go, spot and low priority, as the price list has them. */
export function metersOf(region: string, coresOf: (size: string) => number): Meter[] {
  return VM_PRICES.flatMap(([size, usdPerHour, spotRatio]) => {
    const price = usdPerHour * (PREMIUMS[region] ?? 1);
    return KINDS.map((kind) => {
      const ratios = { "": 1, " Spot": spotRatio, " Low Priority": 0.4 };
      const discounted = price * ratios[kind.suffix];
      const windows = kind.isWindows ? coresOf(size) * WINDOWS_USD_PER_CORE_HOUR : 0;
      return meterOf({ region, size, kind, price: Number((discounted + windows).toFixed(6)) });
    });
  });
}

function meterOf({ region, size, kind, price }: { region: string; size: string; kind: Kind; price: number }): Meter {
  const short = size.replace("Standard_", "").replaceAll("_", " ");
  const name = `${short}${kind.suffix}`;
  const series = `Virtual Machines ${short.split(" ")[0]?.replace(/\d+/, "") ?? ""} Series${kind.isWindows ? " Windows" : ""}`;
  const digest = createHash("sha256")
    .update(`${region} ${size} ${kind.suffix} ${String(kind.isWindows)}`)
    .digest("hex");
  const productId = `DZH318Z0${digest.slice(0, 4).toUpperCase()}`;
  return {
    ...{ currencyCode: "USD", tierMinimumUnits: 0, retailPrice: price, unitPrice: price },
    ...{ armRegionName: region, location: region, effectiveStartDate: "2024-01-01T00:00:00Z" },
    meterId: `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`,
    ...{ meterName: name, productId, skuId: `${productId}/${digest.slice(4, 8).toUpperCase()}` },
    ...{ productName: series, skuName: name },
    ...{
      serviceName: "Virtual Machines",
      serviceId: "DZH313Z7MMC8",
      serviceFamily: "Compute",
      unitOfMeasure: "1 Hour",
    },
    ...{ type: "Consumption", isPrimaryMeterRegion: true, armSkuName: size },
  };
}
