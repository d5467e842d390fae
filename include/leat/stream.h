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
//
// What is kept in memory. Whatever gives rows when event time has passed them keeps those that it
// has not passed: about as many as come within the disorder. Besides, and as long as event time
// goes on:
//
//   filter, map, unnest, merge     nothing
//   window                         what the aggregates keep, for each key of each window that is
//                                  open or may still be revised: its size and the lateness
//   over, with a range             each key's rows of that range; then nothing of the key
//   over, with rows                so many rows of every key that there ever was
//   over, with neither             what the aggregates keep, for every key that there ever was
//   top                            of every key that there ever was: with `update` its first rows,
//                                  else what these are ordered by
//   dedup                          every key, and to keep the last one its row: of the horizon, or
//                                  without one of all time
//   join, within some time         left rows for the upper bound, right ones for the lower one's
//                                  opposite, with or without partner
//   join, by window                the rows of windows that are open
//   join_table, join_as_of         the right side's last row of every key that it has
//   process                        what the function keeps of a key, and its timers, until it
//                                  forgets the key
//   process_batches                what the function keeps
//
// So what grows without end says `ever`, or `all time`: give it keys that are few, a horizon, or a
// window. Over rows that are revised upstream a window keeps what it needs to count anew for as
// long as the run. An aggregate is a few numbers, a percentile up to some tens of KiB; exact
// distinct values, array_agg and string_agg are as large as what they are of.
// RunOptions::state_bytes_max bounds all of it together: a run that needs more ends with an error
// that names the node.
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
