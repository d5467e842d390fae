#include "tools/record_target.h"

#include <utility>

#include <fmt/core.h>

#include "tools/connect.h"
#include "tools/deliveries.h"
#include "tools/output.h"
#include "tools/record_json.h"

namespace leat::tools {

namespace {

class StdoutTarget final : public RecordTarget {
 public:
  /// Without a template, JSON.
  explicit StdoutTarget(std::optional<RecordTemplate> record_template)
      : template_(std::move(record_template)) {}

  Result<void> put(const InRecord& record) override {
    if (template_) {
      template_->print(record, output_.buffer());
    } else {
      append_record_json(output_.buffer(), record);
      output_.buffer() += '\n';
    }
    output_.written();
    return {};
  }
  void pause() override { output_.flush(); }
  Result<void> finish() override {
    output_.flush();
    if (output_.failed()) return fail(Errc::io_error, "not everything was printed");
    return {};
  }
  bool is_closed() const override { return output_.closed(); }

 private:
  std::optional<RecordTemplate> template_;
  Output output_;
};

class TopicTarget final : public RecordTarget {
 public:
  explicit TopicTarget(const TopicTargetOptions& options)
      : topic_(options.topic),
        keeps_partitions_(options.keeps_partitions),
        producer_(client_options(options.brokers), producer_options(options.codec)) {}

  Result<void> put(const InRecord& record) override {
    if (deliveries_.failed() > 0) return failure();
    OutRecord out{topic_, record.key, record.value, record.headers, {}, record.timestamp};
    if (keeps_partitions_) out.partition = record.partition;
    producer_.enqueue(out);
    return {};
  }
  void pause() override {}  // what lingers is sent by itself
  Result<void> finish() override {
    producer_.flush();
    if (deliveries_.failed() > 0) return failure();
    return {};
  }

 private:
  Result<void> failure() const {
    return fail(Errc::broker_error,
                fmt::format("{} records were not delivered to {}", deliveries_.failed(), topic_));
  }

  ProducerOptions producer_options(const std::string& codec) {
    ProducerOptions producer;
    producer.compression = codec_named(codec);
    producer.on_delivery = [this](const BatchDelivery& batch) { deliveries_.add(batch); };
    return producer;
  }

  std::string topic_;
  bool keeps_partitions_;
  Deliveries deliveries_;
  blocking::Producer producer_;
};

}  // namespace

std::unique_ptr<RecordTarget> make_json_target() {
  return std::make_unique<StdoutTarget>(std::nullopt);
}

std::unique_ptr<RecordTarget> make_text_target(RecordTemplate record_template) {
  return std::make_unique<StdoutTarget>(std::move(record_template));
}

std::unique_ptr<RecordTarget> make_topic_target(const TopicTargetOptions& options) {
  return std::make_unique<TopicTarget>(options);
}

std::optional<std::size_t> count_partitions(blocking::Admin& admin, const std::string& topic) {
  try {
    return admin.describe_topic(topic).partitions.size();
  } catch (const Exception& failed) {
    if (failed.code() != KafkaError::unknown_topic_or_partition) throw;
    return std::nullopt;
  }
}

void create_topic(blocking::Admin& admin, NewTopic topic) {
  std::string text =
      fmt::format("created topic {} with {} partitions\n", topic.name, *topic.partitions);
  admin.create_topic(std::move(topic));
  fmt::print(stderr, "{}", text);
}

}  // namespace leat::tools
