// What is kept between the thread that fetches a partition and the one that reads it.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client/frame_padding.h"
#include "record/builder.h"
#include "record/record.h"
#include "remote/fetched_partition.h"

TEST_SUITE_BEGIN("remote");

using namespace leat;
using namespace leat::remote;

namespace {

/// Batches of one record each, from that offset on.
client::Fetched fetched(std::int64_t begin, const std::vector<std::string>& values) {
  auto memory = std::make_shared<Bytes>();
  std::int64_t offset = begin;
  for (const auto& value : values) {
    record::BatchBuilder builder;
    builder.append(0, {}, as_bytes(value));
    Bytes batch = builder.build();
    record::set_base_offset(batch, Offset{offset++});
    memory->insert(memory->end(), batch.begin(), batch.end());
  }
  std::size_t size = memory->size();
  memory->resize(size + client::frame_padding_bytes);
  client::Fetched part;
  part.begin = begin;
  part.end = offset;
  part.batches = BytesView(memory->data(), size);
  part.owner = memory;
  return part;
}

struct Reading {
  std::string values;  // "a b"
  bool on_their_way = false;
  FetchedPartition::Told told;
};

Reading read(FetchedPartition& partition, std::int64_t from, std::size_t max_bytes = 1 << 20) {
  Reading reading;
  auto batches = partition.read(Offset{from}, max_bytes, reading.told);
  if (!batches) {
    reading.values = batches.error().what;
    return reading;
  }
  reading.on_their_way = batches->on_their_way;
  for (BytesView left = batches->bytes; !left.empty();) {
    auto batch = record::BatchView::parse(left);
    left = left.subspan(batch->size_bytes());
    record::RecordIterator records(*batch);
    while (const record::Record* record = records.next()) {
      if (!reading.values.empty()) reading.values += ' ';
      reading.values += as_text(*record->value);
    }
  }
  return reading;
}

}  // namespace

TEST_CASE("reading begins where it says, goes on with what was fetched, and knows the end") {
  FetchedPartition partition("orders", 3);
  partition.reaches(Offset{12});
  auto first = read(partition, 10);
  CHECK(first.told.seek == Offset{10});
  CHECK(first.values.empty());
  CHECK(first.on_their_way);
  partition.add(fetched(10, {"a", "b"}));
  auto there = read(partition, 10);
  CHECK(there.values == "a b");
  CHECK_FALSE(there.told.seek);
  CHECK(there.told.has_taken);
  auto end = read(partition, 12);
  CHECK(end.values.empty());
  CHECK_FALSE(end.on_their_way);
  CHECK_FALSE(end.told.seek);
}

TEST_CASE("a reading takes whole batches, some bytes of them but at least one") {
  FetchedPartition partition("orders", 3);
  read(partition, 0);
  auto part = fetched(0, {"a", "b", "c"});
  std::size_t batch = part.batches.size() / 3;
  partition.add(std::move(part));
  CHECK(partition.bytes() == 3 * batch);
  CHECK(read(partition, 0, 1).values == "a");
  CHECK(partition.bytes() == 0);
  CHECK(read(partition, 1, 2 * batch).values == "b c");
}

TEST_CASE("what was fetched before the reader went elsewhere is not given to it") {
  FetchedPartition partition("orders", 3);
  read(partition, 0);
  partition.add(fetched(0, {"a", "b"}));
  auto elsewhere = read(partition, 7);
  CHECK(elsewhere.told.seek == Offset{7});
  CHECK(elsewhere.values.empty());
  partition.add(fetched(2, {"c"}));  // was on its way
  CHECK(read(partition, 7).values.empty());
  partition.add(fetched(7, {"h"}));
  CHECK(read(partition, 7).values == "h");
}

TEST_CASE("who waits is woken by a record at its offset, by an error, or at once") {
  FetchedPartition partition("orders", 3);
  read(partition, 0);
  int woken = 0;
  auto wait_for = [&](std::int64_t offset) {
    FetchedPartition::Told told;
    partition.when_readable(
        Offset{offset}, [&] { ++woken; }, told);
    return told.seek;
  };
  CHECK_FALSE(wait_for(0));
  CHECK(woken == 0);
  partition.add(fetched(0, {"a"}));
  CHECK(woken == 1);
  wait_for(0);
  CHECK(woken == 2);
  read(partition, 0);
  wait_for(1);
  CHECK(woken == 2);
  partition.fail_with({Errc::offset_out_of_range, "gone"});
  CHECK(woken == 3);
  CHECK(read(partition, 1).values == "gone");
  CHECK(wait_for(9) == Offset{9});  // elsewhere, where nothing is wrong yet
  CHECK(woken == 3);
}

TEST_CASE("a batch that does not match its checksum is an error behind those before it") {
  FetchedPartition partition("orders", 3);
  read(partition, 0);
  auto part = fetched(0, {"a", "b"});
  const_cast<std::byte&>(part.batches.back()) ^= std::byte{1};
  partition.add(std::move(part));
  CHECK(read(partition, 0).values == "a");
  CHECK(read(partition, 1).values ==
        "orders/3: batch at offset 1: the batch does not match its checksum");
}

TEST_SUITE_END();
