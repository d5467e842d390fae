#include "pipeline/catalog.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "broker/own_topics.h"
#include "broker/topic_name.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/record.h"

namespace leat::pipeline {

namespace {

constexpr std::uint64_t read_bytes = 1 << 20;
/// Before the names of union views.
constexpr std::string_view union_prefix = "view/";

std::shared_ptr<broker::Partition> find_partition(broker::Broker& broker) {
  return broker.find_partition(broker::pipeline_partition().topic_id, PartitionId{0});
}

/// At home, where the topic lives. It is there for appends from when it is asked for.
Result<std::shared_ptr<broker::Partition>> make_partition(broker::Broker& broker) {
  if (auto partition = find_partition(broker)) return partition;
  broker::NewTopic topic;
  topic.name = broker::pipeline_topic;
  topic.partitions = 1;
  topic.configs = {{"cleanup.policy", "compact"}};
  topic.id = broker::pipeline_partition().topic_id;
  if (auto checked = broker.check_new_topic(topic); !checked) return fail(checked);
  broker.create_topic(topic, [](const Result<broker::TopicInfo>&) {});
  if (auto partition = find_partition(broker)) return partition;
  return fail(Errc::storage_error, "the topic of pipelines cannot be made");
}

}  // namespace

Result<void> Catalog::open() {
  auto unreadable = [](const Error& error) {
    return fail(error.code, fmt::format("{} cannot be read: {}; leat fsck says more",
                                        broker::pipeline_topic, error.what));
  };
  auto partition = find_partition(broker_);
  if (!partition) return {};
  std::shared_ptr<const log::LogView> view = partition->view();
  Offset next = view->start_offset;
  while (next < view->high_watermark) {
    auto slice = view->read(next, read_bytes);
    if (!slice) return unreadable(slice.error());
    if (slice->bytes == 0) break;
    Bytes bytes(slice->bytes);
    auto size = slice->file->read_at(slice->position, bytes);
    if (!size) return unreadable(size.error());
    BytesView rest(bytes.data(), *size);
    while (!rest.empty()) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) return unreadable(batch.error());
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        auto applied = apply(as_text(record->key.value_or(BytesView{})), record->value);
        if (!applied) return unreadable(applied.error());
      }
      if (const Error* error = records.error()) return unreadable(*error);
      rest = rest.subspan(batch->size_bytes());
    }
    next = slice->next_offset;
  }
  return {};
}

Result<void> Catalog::apply(std::string_view name, std::optional<BytesView> value) {
  if (name.starts_with(union_prefix)) return apply_union(name.substr(union_prefix.size()), value);
  if (!value) {
    pipelines_.erase(std::string(name));
    return {};
  }
  auto pipeline = decode_deployed(as_text(*value));
  if (!pipeline) {
    return fail(pipeline.error().code,
                fmt::format("of pipeline {}: {}", name, pipeline.error().what));
  }
  pipelines_.insert_or_assign(std::string(name), std::move(*pipeline));
  return {};
}

Result<void> Catalog::apply_union(std::string_view name, std::optional<BytesView> value) {
  if (!value) {
    unions_.erase(std::string(name));
    return {};
  }
  auto view = parse_union_view(as_text(*value));
  if (!view) {
    return fail(Errc::corrupt_message, fmt::format("of view {}: {}", name, view.error().what));
  }
  unions_.insert_or_assign(std::string(name), std::move(*view));
  return {};
}

const UnionView* Catalog::find_union(std::string_view name) const {
  auto found = unions_.find(name);
  return found == unions_.end() ? nullptr : &found->second;
}

void Catalog::put_union(UnionView view, Done done) {
  std::string text = print(view);
  std::string key = std::string(union_prefix) + view.name;
  write(
      key, std::move(text),
      [this, view = std::move(view), done = std::move(done)](const Result<void>& written) mutable {
        if (written) unions_.insert_or_assign(std::string(view.name), view);
        done(written);
      });
}

void Catalog::remove_union(const std::string& name, Done done) {
  write(std::string(union_prefix) + name, std::nullopt,
        [this, name, done = std::move(done)](const Result<void>& written) mutable {
          if (written) unions_.erase(name);
          done(written);
        });
}

const Deployed* Catalog::find(std::string_view name) const {
  auto found = pipelines_.find(name);
  return found == pipelines_.end() ? nullptr : &found->second;
}

void Catalog::put(Deployed pipeline, Done done) {
  std::string text = encode(pipeline);
  std::string name = pipeline.name;
  write(name, std::move(text),
        [this, pipeline = std::move(pipeline),
         done = std::move(done)](const Result<void>& written) mutable {
          if (written) pipelines_.insert_or_assign(std::string(pipeline.name), pipeline);
          done(written);
        });
}

void Catalog::remove(const std::string& name, Done done) {
  write(name, std::nullopt,
        [this, name, done = std::move(done)](const Result<void>& written) mutable {
          if (written) pipelines_.erase(name);
          done(written);
        });
}

void Catalog::write(const std::string& name, std::optional<std::string> value, Done done) {
  record::BatchBuilder builder;
  std::int64_t now_ms = broker_.clock().wall_ms();
  builder.append(now_ms, as_bytes(name),
                 value ? std::optional<BytesView>(as_bytes(*value)) : std::nullopt);
  auto bytes = std::make_shared<Bytes>(builder.build());
  auto tell = [&executor = executor_, alive = std::weak_ptr<char>(alive_),
               done = std::move(done)](Result<void> written) mutable {
    executor.post([alive, done = std::move(done), written = std::move(written)]() mutable {
      if (!alive.expired()) done(std::move(written));
    });
  };
  broker_.executor().post([&broker = broker_, bytes, now_ms, tell = std::move(tell)]() mutable {
    auto partition = make_partition(broker);
    if (!partition) return tell(fail(partition));
    (*partition)
        ->append_checked({bytes, MutableBytes(*bytes), 1, now_ms},
                         [tell = std::move(tell)](const Result<Offset>& offset) mutable {
                           tell(offset ? Result<void>() : fail(offset));
                         });
  });
}

}  // namespace leat::pipeline
