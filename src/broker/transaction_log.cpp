#include "broker/transaction_log.h"

#include <concepts>
#include <utility>

#include <fmt/core.h>

#include "broker/own_topics.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/record.h"

namespace leat::broker {
namespace {

constexpr std::int16_t record_version = 0;
constexpr std::int16_t flexible_version = 1;
constexpr std::uint32_t previous_tag = 0;
constexpr std::uint32_t next_tag = 1;
constexpr std::uint32_t protocol_tag = 2;
constexpr std::uint32_t ended_tag = 10'000;
constexpr std::uint32_t unwritten_tag = 10'001;
constexpr auto second_level = static_cast<std::int16_t>(TransactionProtocol::second);
constexpr std::uint64_t replay_read_bytes = 1 << 20;

void write_name(ByteWriter& out, std::string_view name) {
  out.write(static_cast<std::int16_t>(name.size()));
  out.write_bytes(as_bytes(name));
}

std::string read_name(ByteReader& in) {
  auto size = in.read<std::int16_t>();
  if (size < 0) in.fail();
  return std::string(as_text(in.read_bytes(static_cast<std::size_t>(std::max<int>(size, 0)))));
}

void write_partitions(ByteWriter& out, const TransactionPartitions& partitions) {
  out.write(partitions.empty() ? -1 : static_cast<std::int32_t>(partitions.size()));
  for (const auto& [topic, numbers] : partitions) {
    write_name(out, topic);
    out.write(static_cast<std::int32_t>(numbers.size()));
    for (PartitionId number : numbers) out.write(number.value());
  }
}

TransactionPartitions read_partitions(ByteReader& in) {
  TransactionPartitions partitions;
  auto topics = in.read<std::int32_t>();
  for (std::int32_t i = 0; i < topics && in.ok(); ++i) {
    auto& numbers = partitions[read_name(in)];
    auto count = in.read<std::int32_t>();
    for (std::int32_t p = 0; p < count && in.ok(); ++p) {
      numbers.insert(PartitionId{in.read<std::int32_t>()});
    }
  }
  return partitions;
}

void write_count(ByteWriter& out, std::size_t count) {
  out.write_uvarint(static_cast<std::uint32_t>(count + 1));
}

/// What is not there counts as none.
std::uint32_t read_count(ByteReader& in) {
  std::uint32_t count = in.read_uvarint();
  return count == 0 ? 0 : count - 1;
}

void write_compact(ByteWriter& out, const TransactionPartitions& partitions) {
  write_count(out, partitions.size());
  for (const auto& [topic, numbers] : partitions) {
    write_count(out, topic.size());
    out.write_bytes(as_bytes(topic));
    write_count(out, numbers.size());
    for (PartitionId number : numbers) out.write(number.value());
    out.write_uvarint(0);
  }
}

void skip_tags(ByteReader& in) {
  std::uint32_t tags = in.read_uvarint();
  for (std::uint32_t i = 0; i < tags && in.ok(); ++i) {
    in.read_uvarint();
    in.read_bytes(in.read_uvarint());
  }
}

TransactionPartitions read_compact(ByteReader& in) {
  TransactionPartitions partitions;
  std::uint32_t topics = read_count(in);
  for (std::uint32_t i = 0; i < topics && in.ok(); ++i) {
    std::uint32_t size = read_count(in);
    auto& numbers = partitions[std::string(as_text(in.read_bytes(size)))];
    std::uint32_t count = read_count(in);
    for (std::uint32_t p = 0; p < count && in.ok(); ++p) {
      numbers.insert(PartitionId{in.read<std::int32_t>()});
    }
    skip_tags(in);
  }
  return partitions;
}

Bytes encode(const EndedTransaction& ended) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.write(ended.producer.value());
  out.write(ended.epoch);
  auto state = ended.is_commit ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  out.write(static_cast<std::int8_t>(state));
  out.write(ended.started_ms);
  write_compact(out, ended.partitions);
  return bytes;
}

EndedTransaction read_ended(ByteReader& in) {
  EndedTransaction ended;
  ended.producer = ProducerId{in.read<std::int64_t>()};
  ended.epoch = in.read<std::int16_t>();
  auto state = static_cast<TransactionState>(in.read<std::int8_t>());
  ended.is_commit = state == TransactionState::prepare_commit;
  if (!ended.is_commit && state != TransactionState::prepare_abort) in.fail();
  ended.started_ms = in.read<std::int64_t>();
  ended.partitions = read_compact(in);
  return ended;
}

/// Tagged fields, by rising tags: only those that say something.
class Tags {
 public:
  template <std::integral T>
  void add(std::uint32_t tag, T value) {
    Bytes field;
    ByteWriter(field).write(value);
    add(tag, field);
  }
  void add(std::uint32_t tag, const Bytes& field) {
    ByteWriter out(bytes_);
    out.write_uvarint(tag);
    out.write_uvarint(static_cast<std::uint32_t>(field.size()));
    out.write_bytes(field);
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  void write(ByteWriter& out) const {
    out.write_uvarint(count_);
    out.write_bytes(bytes_);
  }

 private:
  std::uint32_t count_ = 0;
  Bytes bytes_;
};

Tags tags_of(const Transaction& transaction) {
  Tags tags;
  if (transaction.previous >= ProducerId{0}) tags.add(previous_tag, transaction.previous.value());
  if (transaction.next >= ProducerId{0}) tags.add(next_tag, transaction.next.value());
  if (transaction.protocol != TransactionProtocol::first) {
    tags.add(protocol_tag, static_cast<std::int16_t>(transaction.protocol));
  }
  if (transaction.ended) tags.add(ended_tag, encode(*transaction.ended));
  if (transaction.unwritten.empty()) return tags;
  Bytes unwritten;
  ByteWriter field(unwritten);
  write_compact(field, transaction.unwritten);
  tags.add(unwritten_tag, unwritten);
  return tags;
}

void read_tag(std::uint32_t tag, ByteReader& field, Transaction& transaction) {
  if (tag == previous_tag) transaction.previous = ProducerId{field.read<std::int64_t>()};
  if (tag == next_tag) transaction.next = ProducerId{field.read<std::int64_t>()};
  if (tag == protocol_tag && field.read<std::int16_t>() >= second_level) {
    transaction.protocol = TransactionProtocol::second;
  }
  if (tag == ended_tag) transaction.ended = read_ended(field);
  if (tag == unwritten_tag) transaction.unwritten = read_compact(field);
}

/// False if it cannot be read.
bool read_tags(ByteReader& in, Transaction& transaction) {
  std::uint32_t tags = in.read_uvarint();
  for (std::uint32_t i = 0; i < tags && in.ok(); ++i) {
    std::uint32_t tag = in.read_uvarint();
    ByteReader field(in.read_bytes(in.read_uvarint()));
    read_tag(tag, field, transaction);
    if (!field.ok()) return false;
  }
  return in.ok();
}

Result<void> take_batch(
    const record::BatchView& batch,
    const std::function<void(std::string id, std::optional<Transaction>)>& take) {
  if (batch.is_control()) return {};
  record::RecordIterator records(batch);
  while (const record::Record* record = records.next()) {
    if (!record->key) return fail(Errc::corrupt_message, "a record without a key");
    auto id = decode_transaction_key(*record->key);
    if (!id) return fail(id);
    if (!record->value) {
      take(std::move(*id), std::nullopt);
      continue;
    }
    auto transaction = decode_transaction(*record->value);
    if (!transaction) return fail(transaction);
    take(std::move(*id), std::move(*transaction));
  }
  if (const Error* error = records.error()) return fail(error->code, error->what);
  return {};
}

}  // namespace

std::string_view name(TransactionState state) {
  switch (state) {
    case TransactionState::empty: return "Empty";
    case TransactionState::ongoing: return "Ongoing";
    case TransactionState::prepare_commit: return "PrepareCommit";
    case TransactionState::prepare_abort: return "PrepareAbort";
    case TransactionState::complete_commit: return "CompleteCommit";
    case TransactionState::complete_abort: return "CompleteAbort";
  }
  return "Unknown";
}

Bytes encode_transaction_key(std::string_view id) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.write(record_version);
  write_name(out, id);
  return bytes;
}

Bytes encode(const Transaction& transaction) {
  Bytes bytes;
  ByteWriter out(bytes);
  Tags tags = tags_of(transaction);
  bool is_flexible = !tags.empty();
  out.write(is_flexible ? flexible_version : record_version);
  out.write(transaction.producer.value());
  out.write(transaction.epoch);
  out.write(transaction.timeout_ms);
  out.write(static_cast<std::int8_t>(transaction.state));
  if (is_flexible) {
    write_compact(out, transaction.partitions);
  } else {
    write_partitions(out, transaction.partitions);
  }
  out.write(transaction.updated_ms);
  out.write(transaction.started_ms);
  if (is_flexible) tags.write(out);
  return bytes;
}

Result<std::string> decode_transaction_key(BytesView key) {
  ByteReader in(key);
  auto version = in.read<std::int16_t>();
  if (in.ok() && version != record_version) {
    return fail(Errc::unsupported_format, fmt::format("a key of version {}", version));
  }
  std::string id = read_name(in);
  if (!in.ok()) return fail(Errc::corrupt_message, "a key that is cut short");
  return id;
}

Result<Transaction> decode_transaction(BytesView value) {
  ByteReader in(value);
  auto version = in.read<std::int16_t>();
  bool is_flexible = version == flexible_version;
  if (in.ok() && version != record_version && !is_flexible) {
    return fail(Errc::unsupported_format, fmt::format("a transaction of version {}", version));
  }
  Transaction transaction;
  transaction.producer = ProducerId{in.read<std::int64_t>()};
  transaction.epoch = in.read<std::int16_t>();
  transaction.timeout_ms = in.read<std::int32_t>();
  auto state = in.read<std::int8_t>();
  transaction.state = static_cast<TransactionState>(state);
  transaction.partitions = is_flexible ? read_compact(in) : read_partitions(in);
  transaction.updated_ms = in.read<std::int64_t>();
  transaction.started_ms = in.read<std::int64_t>();
  bool is_read = is_flexible ? read_tags(in, transaction) : in.ok();
  bool is_known = state >= 0 && state <= static_cast<int>(TransactionState::complete_abort);
  if (!is_read || !is_known) return fail(Errc::corrupt_message, "a transaction cannot be read");
  return transaction;
}

Result<void> replay_transactions(
    const log::LogView& view,
    const std::function<void(std::string id, std::optional<Transaction>)>& take) {
  Offset next = view.start_offset;
  while (next < view.high_watermark) {
    auto slice = view.read(next, replay_read_bytes);
    if (!slice) return fail(slice);
    if (slice->bytes == 0) break;
    Bytes bytes(slice->bytes);
    auto size = slice->file->read_at(slice->position, bytes);
    if (!size) return fail(size);
    BytesView rest(bytes.data(), *size);
    while (!rest.empty()) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) return fail(batch);
      if (auto taken = take_batch(*batch, take); !taken) return taken;
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return {};
}

TopicPartition transaction_partition() {
  return {own_topic_id("leat-transac"), PartitionId{0}};
}

void append_transaction(Partition& partition, std::string_view id,
                        const std::optional<Transaction>& transaction, std::int64_t now_ms,
                        UniqueFunction<void(Result<void>)> done) {
  record::BatchBuilder builder;
  Bytes key = encode_transaction_key(id);
  std::optional<Bytes> value;
  if (transaction) value = encode(*transaction);
  builder.append(now_ms, BytesView(key), value ? std::optional<BytesView>(*value) : std::nullopt);
  auto bytes = std::make_shared<Bytes>(builder.build());
  partition.append_checked({bytes, MutableBytes(*bytes), 1, now_ms},
                           [done = std::move(done)](const Result<Offset>& offset) mutable {
                             done(offset ? Result<void>() : fail(offset));
                           });
}

}  // namespace leat::broker
