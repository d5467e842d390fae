#include "tools/demo_results.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

#include <fmt/core.h>

#include "client/record_reader.h"

namespace leat::tools {
namespace {

std::vector<client::Assignment> assign(const std::string& topic,
                                       const std::vector<std::int64_t>& from,
                                       const std::vector<std::int64_t>* ends) {
  std::vector<client::Assignment> assignments;
  for (std::size_t i = 0; i < from.size(); ++i) {
    client::Assignment assignment{topic, static_cast<std::int32_t>(i), from[i], {}};
    if (ends != nullptr) assignment.end = (*ends)[i];
    assignments.push_back(std::move(assignment));
  }
  return assignments;
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

Result<std::vector<std::int64_t>> topic_ends(client::BlockingClient& client,
                                             const std::string& topic) {
  auto described = client.describe_topic(topic);
  if (!described) return fail(described);
  std::vector<client::OffsetQuery> queries;
  for (std::size_t i = 0; i < described->partitions.size(); ++i) {
    queries.push_back({topic, static_cast<std::int32_t>(i), client::at_end});
  }
  auto found = client.list_offsets(queries, false);
  if (!found) return fail(found);
  std::vector<std::int64_t> ends;
  for (const client::OffsetFound& offset : *found) ends.push_back(offset.value_or(0));
  return ends;
}

Result<std::vector<std::vector<SinkRecord>>> read_topic(client::BlockingClient& client,
                                                        const std::string& topic,
                                                        const std::vector<std::int64_t>& from) {
  auto ends = topic_ends(client, topic);
  if (!ends) return fail(ends);
  std::vector<std::vector<SinkRecord>> records(from.size());
  client::BlockingConsumer consumer(client, assign(topic, from, &*ends), {});
  record::Scratch scratch;
  while (!consumer.finished()) {
    auto fetched = consumer.poll(std::chrono::seconds(10));
    if (!fetched) return fail(fetched);
    if (!*fetched) continue;
    auto& partition = records[static_cast<std::size_t>((*fetched)->partition)];
    client::RecordReader reader(**fetched, scratch);
    while (const record::Record* record = reader.next()) {
      partition.push_back({record->timestamp_ms,
                           std::string(as_text(record->key.value_or(BytesView{}))),
                           std::string(as_text(record->value.value_or(BytesView{})))});
    }
    if (const Error* error = reader.error()) return fail(error->code, error->what);
  }
  return records;
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

WindowTicker::WindowTicker(const client::BlockingClient& client, const std::string& topic,
                           const std::vector<std::int64_t>& from)
    : consumer_(client, assign(topic, from, nullptr), {}), positions_(from), newest_(from.size()) {}

Result<bool> WindowTicker::take(std::chrono::milliseconds timeout) {
  auto fetched = consumer_.poll(timeout);
  if (!fetched) return fail(fetched);
  if (!*fetched) return false;
  auto partition = static_cast<std::size_t>((*fetched)->partition);
  client::RecordReader reader(**fetched, scratch_);
  while (const record::Record* record = reader.next()) {
    auto row = parse_window_row(std::string(as_text(record->value.value_or(BytesView{}))));
    if (!row) return fail(row);
    newest_[partition] = row->window_start;
    open_[row->window_start].push_back(std::move(*row));
    positions_[partition] = record->offset.value() + 1;
  }
  if (const Error* error = reader.error()) return fail(error->code, error->what);
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
