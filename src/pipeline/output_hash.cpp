#include "pipeline/output_hash.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <tuple>
#include <variant>

#include <xxhash.h>

#include "base/assert.h"

namespace leat::pipeline {

std::vector<std::string> output_topics(const plan::Plan& plan) {
  std::set<std::string> names{plan.bad_rows.topic};
  for (const auto& node : plan.nodes) {
    if (const auto* sink = std::get_if<plan::Sink>(&node.body)) names.insert(sink->topic);
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { body.late_topic; }) names.insert(body.late_topic);
          if constexpr (requires { body.bad_records; }) names.insert(body.bad_records.topic);
        },
        node.body);
  }
  names.erase("");
  return {names.begin(), names.end()};
}

std::uint64_t OutputHash::of(std::span<const stream::OutputBatch> output) {
  if (output.empty()) return 0;
  order_.resize(output.size());
  std::iota(order_.begin(), order_.end(), 0);
  auto place = [&](std::size_t i) {
    auto name = names_.find(output[i].partition.topic_id);
    ASSERT(name != names_.end());
    return std::tuple(std::string_view(name->second), output[i].partition.partition, i);
  };
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                 XXH3_freeState);
  ASSERT(state != nullptr);
  XXH3_64bits_reset(state.get());
  for (std::size_t i : order_) {
    auto [name, partition, number] = place(i);
    std::int32_t id = partition.value();
    XXH3_64bits_update(state.get(), name.data(), name.size());
    XXH3_64bits_update(state.get(), &id, sizeof id);
    XXH3_64bits_update(state.get(), output[number].bytes.data(), output[number].bytes.size());
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace leat::pipeline
