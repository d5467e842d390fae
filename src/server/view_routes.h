// /v1/views: the results of deployed pipelines as tables.
//
//   GET    /v1/views         all: name, pipeline, version, epoch, rows, keys
//   POST   /v1/views         makes a union view of the body (pipeline/union_view.h), or replaces it
//   GET    /v1/views/NAME    [?key=KEY][&as_of=MOMENT][&limit=N][&after=NEXT]
//   DELETE /v1/views/NAME    drops a union view
//
// KEY is the text of a single key column, or a JSON array of several. MOMENT is an epoch, `end`,
// @TIME, or both epochs of a union view. There are at most `limit` rows, 1000 if nothing is said;
// where there are more, the answer has a "next", which is `after` of a further request, with the
// answer's "moment" as `as_of`. Answers are JSON objects, errors {"error": ...}.
#pragma once

#include "base/clock.h"
#include "net/http_server.h"
#include "pipeline/service.h"

namespace leat::server {

/// Whether the path is one of these.
bool is_view_path(const std::string& path);

/// REQUIRES: is_view_path().
void answer_views(const net::HttpRequest& request, pipeline::Service& service, const Clock& clock,
                  net::HttpServer::Answer answer);

}  // namespace leat::server
