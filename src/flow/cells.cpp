#include "flow/cells.h"

#include <cmath>
#include <string>

#include <simdjson.h>

#include "column/timestamp.h"
#include "operators/gather.h"

namespace leat::flow::detail {

namespace {

[[noreturn]] void refuse(const CellAppender&, const column::Type& type, const std::string& what) {
  throw Error("a " + column::name(type) + " " + what);
}

bool fits(const column::Type& type, std::int64_t value) {
  if (type.kind == column::Type::timestamp) {
    column::Timestamp time{value};
    return time >= column::timestamp_min && time <= column::timestamp_max;
  }
  if (type.kind == column::Type::date) {
    column::Date date{value};
    return date >= column::date_min && date <= column::date_max;
  }
  return true;
}

}  // namespace

// ---- Reading ------------------------------------------------------------------------------------

Interval interval_at(const Cells& cells, std::size_t row) {
  const auto& value = static_cast<const column::Interval*>(cells.values)[row];
  return {value.months, value.days, std::chrono::milliseconds(value.ms)};
}

ItemRange items_at(const Cells& cells, std::size_t row) {
  auto range = static_cast<const column::Vector::Range*>(cells.values)[row];
  return {range.begin, range.count};
}

ReadCells cells_of(const column::Vector& column) {
  ReadCells read{{column.nulls().data(), nullptr, nullptr}, nullptr};
  switch (column::physical(column.type())) {
    case column::Physical::integer: read.cells.values = column.integers().data(); break;
    case column::Physical::real: read.cells.values = column.reals().data(); break;
    case column::Physical::decimal: read.cells.values = column.decimals().data(); break;
    case column::Physical::text: read.cells.values = column.texts().data(); break;
    case column::Physical::interval: read.cells.values = column.intervals().data(); break;
    case column::Physical::list:
      read.cells.values = column.lists().data();
      read.items = std::make_unique<ReadCells>(cells_of(column.items()));
      read.cells.items = &read.items->cells;
      break;
  }
  return read;
}

// ---- Writing ------------------------------------------------------------------------------------

CellAppender& CellAppender::items() {
  if (!items_) items_ = std::make_unique<CellAppender>(column_.items(), texts_);
  return *items_;
}

RowCells::RowCells(std::vector<column::Vector>& columns, column::TextArena& texts) {
  appenders_.reserve(columns.size());
  for (auto& column : columns) {
    appenders_.emplace_back(column, texts);
    pointers_.push_back(&appenders_.back());
  }
}

void append_null(CellAppender& to) {
  to.column().set_null(to.next());
}

void append_integer(CellAppender& to, std::int64_t value) {
  if (!fits(to.column().type(), value)) {
    refuse(to, to.column().type(), "must be in the years 0000 to 9999");
  }
  to.column().set_integer(to.next(), value);
}

void append_real(CellAppender& to, double value) {
  if (!std::isfinite(value)) refuse(to, to.column().type(), "must be finite");
  to.column().set_real(to.next(), value + 0.0);  // there is no negative zero
}

void append_decimal(CellAppender& to, Int128 units) {
  Int128 limit = column::power_of_ten(to.column().type().precision);
  if (units >= limit || units <= -limit) {
    refuse(to, to.column().type(), "cannot have that many digits");
  }
  to.column().set_decimal(to.next(), units);
}

void append_text(CellAppender& to, std::string_view value) {
  bool is_text = to.column().type().kind == column::Type::text;
  if (is_text && !simdjson::validate_utf8(value.data(), value.size())) {
    refuse(to, to.column().type(), "must be UTF-8");
  }
  to.column().set_text(to.next(), operators::copy_text(value, to.texts()));
}

void append_interval(CellAppender& to, const Interval& value) {
  to.column().set_interval(to.next(), {value.months, value.days, value.time.count()});
}

CellAppender& append_list(CellAppender& to, std::size_t count) {
  auto begin = static_cast<std::uint32_t>(to.items().column().size());
  to.column().set_list(to.next(), {begin, static_cast<std::uint32_t>(count)});
  return to.items();
}

}  // namespace leat::flow::detail
