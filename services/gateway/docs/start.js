// Shows the description of the API that lies beside this page.
globalThis.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  // Otherwise it asks a server on the internet whether the description is valid.
  validatorUrl: null,
});
