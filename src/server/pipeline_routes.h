// /v1/pipelines: what people and programs ask of deployed pipelines.
//
//   GET    /v1/pipelines                     all, a summary each
//   POST   /v1/pipelines[?set=NAME%3DVALUE]  deploys the plan that is the body, with these values
//                                            for what it leaves open
//   GET    /v1/pipelines/NAME                all about one
//   DELETE /v1/pipelines/NAME[?topics=true]  drops it, with its shadow topics if wanted
//   GET    /v1/pipelines/NAME/why            sentences
//   GET    /v1/pipelines/NAME/versions       with their plans
//   POST   /v1/pipelines/NAME/pause | resume
//   POST   /v1/pipelines/NAME/run            {"set": {NAME: VALUE, ...}}, optional
//   POST   /v1/pipelines/NAME/promote        {"version": N}
//   POST   /v1/pipelines/NAME/replay         {"from": POSITION, "to": POSITION, "rate": ROWS_PER_S
//                                             or "max", "diff": true, "final": true,
//                                             "promote": true, "version": N}, all of them optional
//   GET    /v1/pipelines/NAME/replay[?version=N]
//   DELETE /v1/pipelines/NAME/replay[?version=N]
//
// Answers are JSON objects, errors {"error": ...}.
#pragma once

#include "net/http_server.h"
#include "pipeline/service.h"

namespace leat::server {

/// Whether the path is one of these.
bool is_pipeline_path(const std::string& path);

/// REQUIRES: is_pipeline_path().
void answer_pipelines(const net::HttpRequest& request, pipeline::Service& service,
                      net::HttpServer::Answer answer);

}  // namespace leat::server
