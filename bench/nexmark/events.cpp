#include "nexmark/events.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "generate/nexmark_source.h"
#include "operators/watermark.h"
#include "record/builder.h"

namespace leat::nexmark {

using column::Vector;

namespace {

constexpr flow::Type bigint = flow::Type::bigint, text = flow::Type::text,
                     timestamp = flow::Type::timestamp;

// By kind, with the names that JSON has.
struct Member {
  Kind kind;
  const char* name;
  const char* path;
  flow::Type type;
};
constexpr Member members[] = {
    {person, "person_id", "$.person.id", bigint},
    {person, "name", "$.person.name", text},
    {person, "email", "$.person.emailAddress", text},
    {person, "card", "$.person.creditCard", text},
    {person, "city", "$.person.city", text},
    {person, "state", "$.person.state", text},
    {person, "person_time", "$.person.dateTime", timestamp},
    {person, "person_extra", "$.person.extra", text},
    {auction, "auction_id", "$.auction.id", bigint},
    {auction, "item", "$.auction.itemName", text},
    {auction, "description", "$.auction.description", text},
    {auction, "initial_bid", "$.auction.initialBid", bigint},
    {auction, "reserve", "$.auction.reserve", bigint},
    {auction, "auction_time", "$.auction.dateTime", timestamp},
    {auction, "expires", "$.auction.expires", timestamp},
    {auction, "seller", "$.auction.seller", bigint},
    {auction, "category", "$.auction.category", bigint},
    {auction, "auction_extra", "$.auction.extra", text},
    {bid, "auction", "$.bid.auction", bigint},
    {bid, "bidder", "$.bid.bidder", bigint},
    {bid, "price", "$.bid.price", bigint},
    {bid, "channel", "$.bid.channel", text},
    {bid, "url", "$.bid.url", text},
    {bid, "bid_time", "$.bid.dateTime", timestamp},
    {bid, "bid_extra", "$.bid.extra", text},
};
constexpr std::size_t column_count = 1 + std::size(members);
constexpr std::size_t first_of_kind[] = {1, 9, 19};
static_assert(members[first_of_kind[auction] - 1].kind == auction &&
              members[first_of_kind[auction] - 2].kind == person &&
              members[first_of_kind[bid] - 1].kind == bid &&
              members[first_of_kind[bid] - 2].kind == auction);

/// Sets the cells of one row one after the other.
class RowWriter {
 public:
  RowWriter(std::vector<Vector>& columns, std::size_t row, Kind kind)
      : columns_(columns), row_(row), next_(first_of_kind[kind]) {}
  void write(std::int64_t value) { columns_[next_++].set_integer(row_, value); }
  void write(std::string_view value) { columns_[next_++].set_text(row_, value); }
  template <class... Cells>
  void write_all(const Cells&... cells) {
    (write(cells), ...);
  }

 private:
  std::vector<Vector>& columns_;
  std::size_t row_;
  std::size_t next_;
};

std::int64_t write_row(RowWriter row, const generate::Person& one) {
  row.write_all(one.id, one.name, one.email_address, one.credit_card, one.city, one.state,
                one.date_time_ms, one.extra);
  return one.date_time_ms;
}
std::int64_t write_row(RowWriter row, const generate::Auction& one) {
  row.write_all(one.id, one.item_name, one.description, one.initial_bid, one.reserve,
                one.date_time_ms, one.expires_ms, one.seller, one.category, one.extra);
  return one.date_time_ms;
}
std::int64_t write_row(RowWriter row, const generate::Bid& one) {
  row.write_all(one.auction, one.bidder, one.price, one.channel, one.url, one.date_time_ms,
                one.extra);
  return one.date_time_ms;
}

// The cells of all rows that are of another kind.
void set_nulls(std::vector<Vector>& columns) {
  auto types = columns[0].integers();
  for (std::size_t c = 1; c < columns.size(); ++c) {
    std::int64_t kind = members[c - 1].kind;
    for (std::size_t row = 0; row < types.size(); ++row) {
      if (types[row] != kind) columns[c].set_null(row);
    }
  }
}

}  // namespace

std::vector<flow::Column> columns() {
  std::vector<flow::Column> all{{"event_type", bigint}};
  for (const Member& member : members) {
    all.push_back({member.name, member.type, flow::Column::From::value, member.path});
  }
  return all;
}

EventMaker::EventMaker(const generate::NexmarkOptions& options, std::int32_t source)
    : generator_(options), source_(source), watermark_ms_(operators::watermark_min) {}

column::Chunk EventMaker::make(std::size_t rows) {
  struct Block {
    std::vector<Vector> columns;
    column::RowContext context;
  };
  auto block = std::make_shared<Block>();
  block->columns.reserve(column_count);
  for (std::size_t c = 0; c < column_count; ++c) {
    using Type = column::Type;
    flow::Type type = c == 0 ? bigint : members[c - 1].type;
    auto kind = type == text ? Type::text : type == timestamp ? Type::timestamp : Type::bigint;
    block->columns.emplace_back(Type(kind)).resize(rows);
  }
  auto& context = block->context;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto& event = generator_.next();
    auto kind = static_cast<Kind>(event.index());
    block->columns[0].set_integer(i, kind);
    std::int64_t time_ms = std::visit(
        [&](const auto& one) { return write_row(RowWriter(block->columns, i, kind), one); }, event);
    if (context.runs.empty() || context.runs.back().watermark_ms != watermark_ms_) {
      context.runs.push_back({0, 0, watermark_ms_, source_});
    }
    context.runs.back().end = static_cast<std::uint32_t>(i + 1);
    watermark_ms_ = std::max(watermark_ms_, time_ms - disorder_ms);
    context.event_times_ms.push_back(time_ms);
    context.places.push_back(next_place_++);
  }
  set_nulls(block->columns);
  column::Chunk chunk;
  for (const auto& column : block->columns) chunk.columns.emplace_back(block, &column);
  chunk.rows = rows;
  chunk.selection = column::Selection::all(rows);
  chunk.context = {block, &block->context};
  return chunk;
}

Events::Events(const generate::NexmarkOptions& options, std::size_t events)
    : count(events), maker(options, 0) {
  for (std::size_t left = events; left > 0; left -= chunks.back().rows) {
    chunks.push_back(maker.make(std::min(left, column::chunk_rows)));
  }
}

EventColumns::EventColumns(const column::Chunk& chunk) : rows(chunk.rows) {
  std::size_t next = 0;
  auto integers = [&] { return std::as_const(*chunk.columns[next++]).integers(); };
  auto texts = [&] { return std::as_const(*chunk.columns[next++]).texts(); };
  type = integers();
  person.id = integers();
  for (Texts* column : {&person.name, &person.email, &person.card, &person.city, &person.state}) {
    *column = texts();
  }
  person.time = integers();
  person.extra = texts();
  auction.id = integers();
  auction.item = texts();
  auction.description = texts();
  for (Integers* column : {&auction.initial_bid, &auction.reserve, &auction.time, &auction.expires,
                           &auction.seller, &auction.category}) {
    *column = integers();
  }
  auction.extra = texts();
  for (Integers* column : {&bid.auction, &bid.bidder, &bid.price}) *column = integers();
  bid.channel = texts();
  bid.url = texts();
  bid.time = integers();
  bid.extra = texts();
  ASSERT(next == column_count);
}

std::unique_ptr<stream::MemoryTopics> make_topic(const generate::NexmarkOptions& options,
                                                 std::size_t count) {
  constexpr std::int32_t batch_records = 500;
  constexpr std::size_t extent_bytes = 1 << 20;  // what a task reads at once
  auto topics = std::make_unique<stream::MemoryTopics>();
  auto topic = topics->create_topic("events", 1);
  ASSERT(topic.has_value());
  generate::Traits traits;
  traits.seed = options.seed;
  traits.start_ms = options.base_time_ms;
  traits.rate = options.rate;
  auto source = generate::make_nexmark(traits);
  generate::Arrivals arrivals(traits);
  record::BatchBuilder builder;
  Bytes extent;
  auto close_batch = [&] {
    Bytes batch = builder.build();
    extent.insert(extent.end(), batch.begin(), batch.end());
  };
  auto close_extent = [&] {
    topics->append_extent({topic->id, PartitionId{0}}, std::exchange(extent, {}));
  };
  std::string key, value;
  for (std::size_t i = 0; i < count; ++i) {
    auto arrival = arrivals.next();
    key.clear();
    value.clear();
    source->write(arrival.number, arrival.time_ms, key, value);
    builder.append(arrival.time_ms, as_bytes(key), as_bytes(value));
    if (builder.record_count() == batch_records) close_batch();
    if (extent.size() >= extent_bytes) close_extent();
  }
  if (!builder.empty()) close_batch();
  if (!extent.empty()) close_extent();
  return topics;
}

}  // namespace leat::nexmark
