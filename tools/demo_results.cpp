#include "tools/demo_results.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

#include <fmt/core.h>

namespace leat::tools {
namespace {

/// Reads the partitions of `topic` from there on.
blocking::Consumer consumer_of(const ClientOptions& connect, const std::string& topic,
                               const std::vector<std::int64_t>& from) {
  std::vector<PartitionOffset> positions;
  for (std::size_t i = 0; i < from.size(); ++i)
    positions.push_back({{topic, static_cast<std::int32_t>(i)}, from[i]});
  ConsumerOptions options;
  options.offset_reset = OffsetReset::none;
  blocking::Consumer consumer(connect, options);
  consumer.assign(std::move(positions));
  return consumer;
}

/// "09:45" of an RFC 3339 time.
std::string_view clock_part(const std::string& time) {
  return std::string_view(time).substr(11, 5);
}

}  // namespace

Result<WindowRow> parse_window_row(const std::string& json) {
  WindowRow row;
  simdjson::padded_string padded(json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  std::string_view start;
  std::string_view end;
  std::string_view channel;
  bool bad = parser.iterate(padded).get(document) || document["window_start"].get(start) ||
             document["window_end"].get(end) || document["channel"].get(channel) ||
             document["edits"].get(row.edits) || document["added"].get(row.added);
  if (bad) return fail(Errc::bad_record, fmt::format("not a row of the demo's result: {}", json));
  row.window_start = start;
  row.window_end = end;
  row.channel = channel;
  return row;
}

std::vector<std::int64_t> topic_ends(blocking::Admin& admin, const std::string& topic) {
  std::size_t count = admin.describe_topic(topic).partitions.size();
  std::vector<OffsetQuery> queries;
  for (std::size_t i = 0; i < count; ++i)
    queries.push_back({{topic, static_cast<std::int32_t>(i)}, OffsetQuery::Kind::end});
  std::vector<std::int64_t> ends;
  for (std::optional<std::int64_t> end : admin.list_offsets(std::move(queries)))
    ends.push_back(end.value_or(0));
  return ends;
}

std::vector<std::vector<SinkRecord>> read_topic(const ClientOptions& connect,
                                                const std::string& topic,
                                                const std::vector<std::int64_t>& from,
                                                const std::vector<std::int64_t>& ends) {
  blocking::Consumer consumer = consumer_of(connect, topic, from);
  auto is_behind = [&] {
    for (std::size_t i = 0; i < from.size(); ++i) {
      auto position = consumer.position({topic, static_cast<std::int32_t>(i)});
      if (position.value_or(from[i]) < ends[i]) return true;
    }
    return false;
  };
  std::vector<std::vector<SinkRecord>> read(from.size());
  while (is_behind()) {
    Records records = consumer.poll(std::chrono::milliseconds(100));
    for (const InRecord& record : records) {
      auto partition = static_cast<std::size_t>(record.partition);
      if (record.offset >= ends[partition]) continue;
      read[partition].push_back({record.timestamp.time_since_epoch().count(),
                                 std::string(record.key.value_or("")),
                                 std::string(record.value.value_or(""))});
    }
  }
  return read;
}

Result<void> save_csv(const std::vector<std::vector<SinkRecord>>& records,
                      const std::string& path) {
  std::map<std::pair<std::string, std::string>, WindowRow> last;
  for (const auto& partition : records) {
    for (const SinkRecord& record : partition) {
      auto row = parse_window_row(record.value);
      if (!row) return fail(row);
      last[{row->window_start, row->channel}] = *row;
    }
  }
  std::vector<std::string> lines;
  for (const auto& [key, row] : last) {
    lines.push_back(fmt::format("{},{},{},{},{}", row.window_start, row.window_end, row.channel,
                                row.edits, row.added));
  }
  std::sort(lines.begin(), lines.end());
  std::ofstream file(path);
  file << "window_start,window_end,channel,edits,added\n";
  for (const std::string& line : lines) file << line << '\n';
  file.close();
  if (!file) return fail(Errc::io_error, fmt::format("cannot write {}", path));
  return {};
}

WindowTicker::WindowTicker(const ClientOptions& connect, const std::string& topic,
                           const std::vector<std::int64_t>& from)
    : consumer_(consumer_of(connect, topic, from)), positions_(from), newest_(from.size()) {}

Result<bool> WindowTicker::take(std::chrono::milliseconds timeout) {
  Records records = consumer_.poll(timeout);
  if (records.empty()) return false;
  for (const InRecord& record : records) {
    auto row = parse_window_row(std::string(record.value.value_or("")));
    if (!row) return fail(row);
    auto partition = static_cast<std::size_t>(record.partition);
    newest_[partition] = row->window_start;
    open_[row->window_start].push_back(std::move(*row));
    positions_[partition] = record.offset + 1;
  }
  return true;
}

Result<void> WindowTicker::show() {
  while (true) {
    auto took = take(std::chrono::milliseconds(0));
    if (!took) return fail(took);
    if (!*took) break;
  }
  show_before(*std::min_element(newest_.begin(), newest_.end()));
  return {};
}

Result<void> WindowTicker::finish(const std::vector<std::int64_t>& ends) {
  auto is_behind = [&] {
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (positions_[i] < ends[i]) return true;
    }
    return false;
  };
  while (is_behind()) {
    auto took = take(std::chrono::seconds(1));
    if (!took) return fail(took);
  }
  show_before("~");  // behind every digit
  return {};
}

void WindowTicker::show_before(const std::string& window_start) {
  while (!open_.empty() && open_.begin()->first < window_start) {
    print(open_.begin()->first, open_.begin()->second);
    open_.erase(open_.begin());
    ++windows_;
  }
}

void WindowTicker::print(const std::string& window_start, const std::vector<WindowRow>& rows) {
  constexpr std::size_t shown = 3;
  std::vector<WindowRow> busiest = rows;
  std::sort(busiest.begin(), busiest.end(),
            [](const auto& a, const auto& b) { return a.edits > b.edits; });
  std::int64_t edits = 0;
  for (const WindowRow& row : rows) edits += row.edits;
  std::string line = fmt::format("{}-{} {:>5} edits ", clock_part(window_start),
                                 clock_part(rows.front().window_end), edits);
  for (std::size_t i = 0; i < std::min(shown, busiest.size()); ++i) {
    line += fmt::format("  {} {}", busiest[i].channel, busiest[i].edits);
  }
  if (busiest.size() > shown) line += fmt::format("  and {} more", busiest.size() - shown);
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

}  // namespace leat::tools
