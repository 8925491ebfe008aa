import type { Hono } from "hono";
import { z } from "zod";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { describeApi, describeRoutes } from "../../../../shared/contract/openapi.ts";
import { VERSION } from "../../../../shared/version.ts";
import type { GatewayDeps } from "../../deps.ts";
import { createDescribeServices } from "../../docs/describe_services.ts";

export function getApiDescription(app: Hono<AppEnv>, { http }: Pick<GatewayDeps, "http">): void {
  const describeServices = createDescribeServices({
    async describe(service) {
      const request = new Request("http://hub/api/openapi.json");
      const response = await http.request(service, request, { requestId: crypto.randomUUID() });
      return await response.json();
    },
  });

  app.get(
    "/api/openapi.json",
    answers(z.looseObject({ openapi: z.string() }), {
      does: "This description, as an OpenAPI 3.1 document.",
    }),
    async function getApiDescription(c) {
      return c.json(describeApi([describeRoutes(app), ...await describeServices()], VERSION));
    },
  );
}
