import type { HttpFunctionOptions, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { DurableClient, HttpDurableClientOptions } from "durable-functions";
import { Job } from "../contract/job";
import { JobId } from "../contract/names";
import type { AuditTrail } from "../domain/audit";
import type { InstanceClient } from "../domain/instances";
import type { JobIntake, Refusal } from "../intake/accept-job";
import type { JobCancellation } from "../intake/cancel-job";
import type { JobAnnouncer } from "../intake/announce-job";
import { wakeJob } from "../intake/start-work";
import type { JobTable } from "../state/job-table";
import { audited } from "./audited";
import type { CallerGuard } from "./caller-guard";
import { answer, notFound, parseBody, problem } from "./http-answer";
import type { JobViews } from "./job-view";
import { afterOf, answerPage, PageQuery, parseQuery } from "./paging";

export interface JobCallDeps {
  readonly guard: CallerGuard;
  readonly intake: JobIntake;
  readonly announcer: JobAnnouncer;
  readonly cancellation: JobCancellation;
  readonly jobs: JobTable;
  readonly views: JobViews;
  readonly audit: AuditTrail;
  readonly instances: (client: DurableClient) => InstanceClient;
}

/** Keys of the tables are made of ids: what is none must not reach them, where other rows have other keys. */
const isJobId = (text: string): boolean => JobId.safeParse(text).success;

const STATUS_OF: Readonly<Record<Refusal["reason"], number>> = {
  InvalidJob: 400,
  JobIdConflict: 409,
  UnknownOrganization: 404,
  NotAllowed: 403,
  UnknownJob: 404,
};

/** HTTP …/orgs/{org}/jobs: submit, list, show, cancel. */
export function createJobCalls(deps: JobCallDeps) {
  return { submit: submit(deps), list: list(deps), show: show(deps), cancel: cancel(deps) };
}

function submit(deps: JobCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}/jobs",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: async (request, context) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/jobs/write");
      if (!permitted.ok) return permitted.response;
      const body = await parseBody(request, Job);
      if (!body.ok) return body.response;
      const { organization } = permitted.value;
      if (body.value.org !== organization.org)
        return problem(400, "InvalidRequest", {
          message: `org: must be ${organization.org}, as in the path`,
          target: "org",
        });
      const { org, jobId } = body.value;
      const target = `/orgs/${org}/jobs/${jobId}`;
      const operation = "Corral/organizations/jobs/write";
      return audited(deps.audit, { request, context, permitted: permitted.value, operation, org, target }, () =>
        accept(deps, { job: body.value, createdBy: permitted.value.caller.objectId, context }),
      );
    },
  };
}

async function accept(
  deps: JobCallDeps,
  { job, createdBy, context }: { job: Job; createdBy: string; context: InvocationContext },
): Promise<HttpResponseInit> {
  const accepted = await deps.intake.accept(job, { way: "http", createdBy });
  if (accepted.outcome === "refused") {
    const { reason, description } = accepted.refusal;
    return problem(STATUS_OF[reason], reason, description);
  }
  const { org, jobId } = accepted.job;
  if (!accepted.ended) {
    // The job is durable and the caller may be told so, whatever becomes of this message.
    await deps.announcer
      .announce(accepted.job)
      .catch((error: unknown) => context.error(`job ${org}/${jobId} not announced: ${String(error)}`));
  }
  return answer(accepted.outcome === "accepted" ? 201 : 200, await deps.views.of(accepted.job), {
    Location: `/api/orgs/${org}/jobs/${jobId}`,
  });
}

function list(deps: JobCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}/jobs",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/jobs/read");
      if (!permitted.ok) return permitted.response;
      const query = parseQuery(request, PageQuery);
      if (!query.ok) return query.response;
      const { org } = permitted.value.organization;
      const { $top, $skiptoken } = query.value;
      const page = await deps.jobs.listPage(org, { top: $top, after: afterOf($skiptoken) });
      return answerPage(request, await deps.views.ofAll(org, page.values), page.next);
    },
  };
}

function show(deps: JobCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}/jobs/{jobId}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/jobs/read");
      if (!permitted.ok) return permitted.response;
      const jobId = request.params["jobId"] ?? "";
      const job = isJobId(jobId) ? await deps.jobs.find(permitted.value.organization.org, jobId) : undefined;
      return job ? answer(200, await deps.views.of(job.value)) : notFound(`job ${jobId}`);
    },
  };
}

function cancel(deps: JobCallDeps): HttpDurableClientOptions {
  return {
    route: "api/orgs/{org}/jobs/{jobId}:cancel",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: async (request, client, context) => {
      const operation = "Corral/organizations/jobs/cancel/action";
      const permitted = await deps.guard.inOrganization(request, operation);
      if (!permitted.ok) return permitted.response;
      const { org } = permitted.value.organization;
      const jobId = request.params["jobId"] ?? "";
      if (!isJobId(jobId)) return notFound(`job ${jobId}`);
      const target = `/orgs/${org}/jobs/${jobId}`;
      const call = { request, context, permitted: permitted.value, operation, org, target } as const;
      return audited(deps.audit, call, async () => {
        const cancelled = await deps.cancellation.request(org, jobId);
        if (cancelled.outcome === "unknown") return notFound(`job ${jobId}`);
        if (cancelled.outcome === "terminal")
          return problem(409, "JobAlreadyTerminal", `job ${jobId} is ${cancelled.job.state} already`);
        await wakeJob(deps.instances(client), org, jobId);
        return answer(202, await deps.views.of(cancelled.job));
      });
    },
  };
}
