import type { WireReply } from "../http/wire";

export interface ArmErrorBody {
  readonly code: string;
  readonly message: string;
  readonly target?: string | undefined;
  readonly details?: readonly ArmErrorBody[] | undefined;
  readonly additionalInfo?: readonly ArmErrorInfo[] | undefined;
}

/** What a policy, or another typed source, adds to an error. */
export interface ArmErrorInfo {
  readonly type: string;
  readonly info: object;
}

interface Extras {
  readonly target?: string;
  readonly details?: readonly ArmErrorBody[];
  readonly additionalInfo?: readonly ArmErrorInfo[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal with ARM's body; a handler throws it, the pipeline answers with it. */
export class ArmError extends Error {
  override readonly name = "ArmError";
  readonly code: string;
  readonly extras: Extras;

  constructor(
    readonly status: number,
    { code, message }: { readonly code: string; readonly message: string },
    extras: Extras = {},
  ) {
    super(message);
    this.code = code;
    this.extras = extras;
  }

  toBody(): ArmErrorBody {
    const { target, details, additionalInfo } = this.extras;
    return {
      code: this.code,
      message: this.message,
      ...(target ? { target } : {}),
      ...(details ? { details } : {}),
      ...(additionalInfo ? { additionalInfo } : {}),
    };
  }

  toReply(headers: Readonly<Record<string, string>> = {}): WireReply {
    return { status: this.status, headers: { ...headers, ...this.extras.headers }, body: { error: this.toBody() } };
  }
}
