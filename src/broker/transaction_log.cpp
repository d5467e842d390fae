#include "broker/transaction_log.h"

#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "record/batch.h"
#include "record/builder.h"
#include "record/record.h"

namespace leat::broker {
namespace {

constexpr std::int16_t record_version = 0;
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
  out.write(record_version);
  out.write(transaction.producer.value());
  out.write(transaction.epoch);
  out.write(transaction.timeout_ms);
  out.write(static_cast<std::int8_t>(transaction.state));
  bool has_none = transaction.partitions.empty();
  out.write(has_none ? -1 : static_cast<std::int32_t>(transaction.partitions.size()));
  for (const auto& [topic, partitions] : transaction.partitions) {
    write_name(out, topic);
    out.write(static_cast<std::int32_t>(partitions.size()));
    for (PartitionId partition : partitions) out.write(partition.value());
  }
  out.write(transaction.updated_ms);
  out.write(transaction.started_ms);
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
  if (in.ok() && version != record_version) {
    return fail(Errc::unsupported_format, fmt::format("a transaction of version {}", version));
  }
  Transaction transaction;
  transaction.producer = ProducerId{in.read<std::int64_t>()};
  transaction.epoch = in.read<std::int16_t>();
  transaction.timeout_ms = in.read<std::int32_t>();
  auto state = in.read<std::int8_t>();
  transaction.state = static_cast<TransactionState>(state);
  transaction.partitions = read_partitions(in);
  transaction.updated_ms = in.read<std::int64_t>();
  transaction.started_ms = in.read<std::int64_t>();
  bool is_known = state >= 0 && state <= static_cast<int>(TransactionState::complete_abort);
  if (!in.ok() || !is_known) return fail(Errc::corrupt_message, "a transaction cannot be read");
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
  // A fixed id that no random (version 4) id can be: its version digit is 0.
  Uuid id;
  std::string_view text = "leat-transac";
  std::memcpy(id.bytes.data(), text.data(), 6);
  std::memcpy(id.bytes.data() + 10, text.data() + 6, 6);
  return {id, PartitionId{0}};
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
  // Shared between the two ways in which an append can fail.
  auto answer = std::make_shared<UniqueFunction<void(Result<void>)>>(std::move(done));
  auto appended = partition.log().append(
      {bytes, MutableBytes(*bytes), 1, now_ms}, [answer](Result<Offset> offset) {
        (*answer)(offset ? Result<void>() : Result<void>(tl::unexpected(offset.error())));
      });
  if (appended) return;
  partition.executor().post(
      [answer, error = appended.error()] { (*answer)(tl::unexpected(error)); });
}

}  // namespace leat::broker
