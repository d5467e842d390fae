// What reads, what keeps nothing, and what writes: the simple nodes of a plan's graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/expression.h"

namespace leat::plan {

// Every struct of a plan names its fields once, in fields(). A visitor has
//   required(name, member)            always there
//   optional(name, member, otherwise) left out where it is `otherwise`
// Reader, writer and the tests' random generator are visitors. Times are in milliseconds.

/// What happens with a record that cannot become a row, or with a row that has no valid result.
struct BadRows {
  enum class Policy { fail, skip, dead_letter };
  Policy policy = Policy::fail;
  std::string topic;  // of dead letters

  static void fields(auto& self, auto& visit) {
    visit.optional("policy", self.policy, Policy::fail);
    visit.optional("topic", self.topic, "");
  }
};

/// A column of a source, and where in the record it comes from.
struct SourceColumn {
  enum class From { value, key, header, timestamp, offset, partition, topic };
  std::string name;
  Type type;
  From from = From::value;
  /// Of JSON where in the value, as `$.user.tags[0]`; of CSV with a header line the name there.
  /// Empty for the column's own name.
  std::string path;
  std::string header;

  static void fields(auto& self, auto& visit) {
    visit.required("name", self.name);
    visit.required("type", self.type);
    visit.optional("from", self.from, From::value);
    visit.optional("path", self.path, "");
    visit.optional("header", self.header, "");
  }
};

/// Rows from the records of a topic, or from the lines of a file: a partition, whose records have
/// no key and no timestamp.
struct Source {
  static constexpr std::string_view type = "source";
  enum class Format { json, csv, raw };
  std::string topic;
  std::string file;
  Format format = Format::json;
  /// Of CSV files: whether the first line names the columns.
  bool header_line = false;
  std::vector<SourceColumn> columns;
  /// A column of type timestamp; empty for the record's own timestamp.
  std::string event_time;
  /// How far behind the largest event time of its partition a row may come and not be late.
  std::int64_t disorder_ms = 0;
  /// How far an event time may be ahead of its record's timestamp; beyond it the record is a bad
  /// one, and must not move the watermark: one of the year 2999 would make all behind it late.
  /// Nothing for any distance. Lines of files have no timestamp, and are not judged.
  std::optional<std::int64_t> ahead_max_ms = 86'400'000;
  /// After how much silence a partition that is read to its end no longer holds the watermark
  /// back; 0 for never. Only live runs look at it.
  std::int64_t idle_ms = 30'000;
  BadRows bad_records;
  /// Later records of a key replace earlier ones, a record without value removes its key: a table,
  /// which is for the right side of joins.
  bool upsert = false;

  static void fields(auto& self, auto& visit) {
    visit.optional("topic", self.topic, "");
    visit.optional("file", self.file, "");
    visit.optional("format", self.format, Format::json);
    visit.optional("header_line", self.header_line, false);
    visit.required("columns", self.columns);
    visit.optional("event_time", self.event_time, "");
    visit.optional("disorder_ms", self.disorder_ms, 0);
    visit.optional("ahead_max_ms", self.ahead_max_ms, 86'400'000);
    visit.optional("idle_ms", self.idle_ms, 30'000);
    visit.optional("bad_records", self.bad_records, BadRows{});
    visit.optional("upsert", self.upsert, false);
  }
};

/// Keeps the rows for which the condition is true.
struct Filter {
  static constexpr std::string_view type = "filter";
  std::string input;
  Expression condition;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.required("condition", self.condition);
  }
};

struct NamedExpression {
  std::string name;
  Expression expression;

  static void fields(auto& self, auto& visit) {
    visit.required("name", self.name);
    visit.required("expression", self.expression);
  }
};

/// Replaces the columns. The event time stays with the row.
struct Project {
  static constexpr std::string_view type = "project";
  std::string input;
  std::vector<NamedExpression> columns;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.required("columns", self.columns);
  }
};

/// A row for each item of an array, the item behind the row's columns, and its number from 1 if
/// `ordinality` names a column for it. None for an empty array or NULL.
struct Unnest {
  static constexpr std::string_view type = "unnest";
  std::string input;
  std::string column;
  std::string as;
  std::string ordinality;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.required("column", self.column);
    visit.required("as", self.as);
    visit.optional("ordinality", self.ordinality, "");
  }
};

/// The rows of all inputs, which have the same columns.
struct Union {
  static constexpr std::string_view type = "union";
  std::vector<std::string> inputs;

  static void fields(auto& self, auto& visit) { visit.required("inputs", self.inputs); }
};

/// Says by which columns rows are spread over workers from here on. No result depends on it.
struct Rekey {
  static constexpr std::string_view type = "rekey";
  std::string input;
  std::vector<std::string> keys;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.required("keys", self.keys);
  }
};

/// Rows as records: the value all columns, the key made of the key columns (the bare text of a
/// single one, else a JSON object), the timestamp the row's event time.
struct Sink {
  static constexpr std::string_view type = "sink";
  enum class Format { json, csv };
  /// Of rows that are revised later: `upsert` writes each version of a row under its key, and
  /// removes the key of one that is gone; `all` writes every change, with its kind as a header.
  enum class Changes { upsert, all };
  std::string topic;
  bool console = false;
  std::string files;  // a folder
  /// A table that a deployed pipeline keeps: the last row of each key.
  std::string view;
  /// Of a view: rows whose event time is further behind the watermark go.
  std::optional<std::int64_t> keep_ms;
  Format format = Format::json;
  std::vector<std::string> keys;
  /// Of a topic that is made; 0 for as many as the first source has.
  std::int64_t partitions = 0;
  Changes changes = Changes::upsert;
  /// Of files: a folder `column=value` for each of these, and no such column in the file.
  std::vector<std::string> partition_by;
  /// Of files that a batch writes, the first ones of partition_by: where it has rows of a value of
  /// these, all files of that value are replaced, those that it has no rows for too.
  std::vector<std::string> replace;

  std::string input;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.optional("topic", self.topic, "");
    visit.optional("console", self.console, false);
    visit.optional("files", self.files, "");
    visit.optional("view", self.view, "");
    visit.optional("keep_ms", self.keep_ms, std::nullopt);
    visit.optional("format", self.format, Format::json);
    visit.optional("keys", self.keys, {});
    visit.optional("partitions", self.partitions, 0);
    visit.optional("changes", self.changes, Changes::upsert);
    visit.optional("partition_by", self.partition_by, {});
    visit.optional("replace", self.replace, {});
  }
};

}  // namespace leat::plan
