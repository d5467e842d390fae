// Pipelines over a log: what a program does with the rows of topics and files. Begin here.
//
//   using namespace leat::flow;
//   Pipeline pipeline("edits-per-channel");
//   pipeline.from("edits", {{"time", Type::timestamp}, {"channel", Type::text},
//                           {"added", Type::bigint}}, {.event_time = "time", .disorder = 2s})
//       .filter(col("added") > 0)
//       .key_by("channel")
//       .window(tumbling(5min))
//       .aggregate({count().as("edits"), sum(col("added")).as("added")})
//       .to("edits-per-channel", {.keys = {"channel"}});
//
// It is checked when it is built, runs embedded over a data directory (runtime.h), and is tested
// without either (pipeline_test.h). pipeline.h says what can be done with rows, expression.h and
// functions.h what can be computed, rows.h how structs are rows, process.h and batches.h how
// functions of the program's own take part. Link with `pkg-config --libs leat-stream`.
#pragma once

#include "leat/aggregates.h"
#include "leat/batches.h"
#include "leat/expression.h"
#include "leat/functions.h"
#include "leat/pipeline.h"
#include "leat/pipeline_options.h"
#include "leat/pipeline_test.h"
#include "leat/process.h"
#include "leat/rows.h"
#include "leat/runtime.h"
#include "leat/types.h"
