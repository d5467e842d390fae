#include "tools/demo_events.h"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "generate/event_stream.h"
#include "generate/kinds.h"
#include "leat/blocking.h"
#include "tools/deliveries.h"
#include "tools/demo_results.h"
#include "tools/record_target.h"

namespace leat::tools {

namespace {

const generate::Kind& find_kind(std::string_view name) {
  auto kinds = generate::kinds();
  auto found = std::find_if(kinds.begin(), kinds.end(),
                            [&](const generate::Kind& kind) { return kind.name == name; });
  ASSERT(found != kinds.end());
  return *found;
}

}  // namespace

generate::Traits default_traits(std::string_view kind) {
  return find_kind(kind).defaults;
}

std::size_t table_rows(std::string_view kind) {
  const generate::Kind& table = find_kind(kind);
  ASSERT(table.is_table);
  return static_cast<std::size_t>(table.count(table.defaults));
}

std::vector<DemoEvent> make_events(std::string_view kind, const generate::Traits& traits,
                                   std::size_t count) {
  generate::EventStream stream(find_kind(kind).make(traits), traits);
  std::vector<DemoEvent> events;
  events.reserve(count);
  while (events.size() < count) {
    const generate::Event* event = stream.next();
    if (event == nullptr) break;
    events.push_back({event->key, event->value, event->time_ms, event->partition});
  }
  return events;
}

struct EventSender::Sending {
  explicit Sending(const DemoStage& stage) : producer(stage.connect(), options(stage)) {}
  ProducerOptions options(const DemoStage& stage) {
    ProducerOptions with;
    with.on_delivery = [this, &stage](const BatchDelivery& batch) {
      if (!stage.interrupted()) deliveries.add(batch);  // what was given up is no news
    };
    return with;
  }

  Deliveries deliveries;
  blocking::Producer producer;
};

EventSender::EventSender(DemoStage& stage, std::string topic)
    : stage_(stage), topic_(std::move(topic)) {}

EventSender::~EventSender() = default;

Result<void> EventSender::open(std::int32_t partitions, bool is_table) {
  auto there = count_partitions(stage_.admin(), topic_);
  if (!there) {
    NewTopic topic(topic_, partitions);
    if (is_table) topic.configs.emplace_back("cleanup.policy", "compact");
    stage_.admin().create_topic(std::move(topic));
  }
  if (auto found = stage_.need_topic(topic_, partitions); !found) return found;
  present_ = topic_ends(stage_.admin(), topic_);
  sending_ = std::make_unique<Sending>(stage_);
  return {};
}

void EventSender::put(const DemoEvent& event) {
  if (present_[static_cast<std::size_t>(event.partition)]-- > 0) return;
  OutRecord record{topic_, event.key, event.value};
  record.partition = event.partition;
  record.timestamp = Timestamp{std::chrono::milliseconds(event.time_ms)};
  sending_->producer.enqueue(record);
  ++sent_;
}

Result<void> EventSender::finish() {
  sending_->producer.flush();
  if (sending_->deliveries.failed() == 0) return {};
  return fail(Errc::broker_error, fmt::format("{} events were not delivered to {}",
                                              sending_->deliveries.failed(), topic_));
}

Result<std::int64_t> send_events(DemoStage& stage, const std::string& topic,
                                 const std::vector<DemoEvent>& events, std::int32_t partitions,
                                 bool is_table) {
  EventSender sender(stage, topic);
  if (auto opened = sender.open(partitions, is_table); !opened) return fail(opened);
  for (const DemoEvent& event : events) {
    if (stage.interrupted()) break;
    sender.put(event);
  }
  if (auto finished = sender.finish(); !finished) return fail(finished);
  if (auto wanted = stage.check_interrupt(); !wanted) return fail(wanted);
  return sender.sent();
}

Result<std::map<std::string, std::string>> read_members(std::string_view json) {
  std::map<std::string, std::string> members;
  simdjson::padded_string padded(json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  auto refuse = [&] {
    return fail(Errc::bad_record, fmt::format("not what the demo writes: {}", json));
  };
  if (parser.iterate(padded).get(document) || document.get_object().get(object)) return refuse();
  for (auto member : object) {
    std::string_view name, text;
    simdjson::ondemand::value value;
    if (member.unescaped_key().get(name) || member.value().get(value)) return refuse();
    simdjson::ondemand::json_type type{};
    if (value.type().get(type)) return refuse();
    bool bad = type == simdjson::ondemand::json_type::string
                   ? bool(value.get_string().get(text))
                   : bool(simdjson::to_json_string(value).get(text));
    if (bad) return refuse();
    members.emplace(name, text);
  }
  return members;
}

std::int64_t read_cents(std::string_view amount) {
  return std::llround(std::strtod(std::string(amount).c_str(), nullptr) * 100);
}

}  // namespace leat::tools
