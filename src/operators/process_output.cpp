#include "operators/process_output.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "operators/gather.h"

namespace leat::operators {

ProcessOutput::ProcessOutput(const column::Schema& schema, std::int32_t node)
    : schema_(schema), node_(node) {
  start();
}

void ProcessOutput::start() {
  rows_ = std::make_unique<ProcessRows>();
  rows_->serial = ++serial_;
  for (const auto& field : schema_) rows_->columns.emplace_back(field.type);
  context_ = std::make_shared<column::RowContext>();
}

void ProcessOutput::begin_call(std::int64_t time_ms, const column::Position& position,
                               std::int64_t watermark_ms) {
  time_ms_ = time_ms;
  origin_ = position.origin;
  place_ = position.place;
  watermark_ms_ = watermark_ms;
  rest_ = position.rest;
  number_ = 0;
}

void ProcessOutput::begin_timer(std::int64_t time_ms, std::string_view key) {
  begin_call(time_ms, {column::origin_of(node_, 0), time_ms, key}, watermark_min);
}

ProcessRows& ProcessOutput::begin_row() {
  drop_broken();
  if (rows() == column::chunk_rows) finish_chunk();
  std::string rest = rest_;
  column::append_word(rest, number_++);
  column::RowContext& to = *context_;
  to.event_times_ms.push_back(time_ms_);
  to.places.push_back(place_);
  to.rests.push_back(copy_text(rest, *rows_->texts));
  auto partition = static_cast<std::int32_t>(origin_ & 0xffff'ffff);
  auto node = static_cast<std::int32_t>(origin_ >> 32);
  column::RowRun run{static_cast<std::uint32_t>(rows()), partition, watermark_ms_, node};
  bool goes_on = !to.runs.empty() && to.runs.back().origin() == run.origin() &&
                 to.runs.back().watermark_ms == run.watermark_ms;
  if (goes_on)
    to.runs.back().end = run.end;
  else
    to.runs.push_back(run);
  return *rows_;
}

// What a function threw out of leaves cells behind.
void ProcessOutput::drop_broken() {
  std::size_t whole = rows();
  for (const auto& column : rows_->columns) whole = std::min(whole, column.size());
  if (whole == rows()) return;
  for (auto& column : rows_->columns) column.resize(whole);
  context_->event_times_ms.resize(whole);
  context_->places.resize(whole);
  context_->rests.resize(whole);
  auto& runs = context_->runs;
  while (!runs.empty() && (runs.size() > 1 ? runs[runs.size() - 2].end : 0) >= whole) {
    runs.pop_back();
  }
  if (!runs.empty()) runs.back().end = static_cast<std::uint32_t>(whole);
}

Result<void> ProcessOutput::push_full(Context& context) {
  for (const auto& chunk : full_) {
    if (auto pushed = context.push(chunk); !pushed) return pushed;
  }
  full_.clear();
  return {};
}

Result<void> ProcessOutput::push(Context& context) {
  if (rows() > 0) finish_chunk();
  return push_full(context);
}

void ProcessOutput::finish_chunk() {
  column::Chunk& chunk = full_.emplace_back();
  chunk.rows = rows();
  chunk.selection = column::Selection::all(chunk.rows);
  context_->buffers.push_back({rows_->texts});
  chunk.context = std::move(context_);
  for (auto& column : rows_->columns) {
    chunk.columns.push_back(std::make_shared<const column::Vector>(std::move(column)));
  }
  start();
}

}  // namespace leat::operators
