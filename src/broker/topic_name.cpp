#include "broker/topic_name.h"

#include <algorithm>

#include <fmt/core.h>

namespace leat::broker {

Result<void> check_topic_name(std::string_view name) {
  if (name.empty()) return fail(Errc::invalid_topic, "a topic's name is empty");
  if (name == "." || name == "..") {
    return fail(Errc::invalid_topic, fmt::format("a topic cannot be named '{}'", name));
  }
  if (name.size() > topic_name_bytes_max) {
    return fail(Errc::invalid_topic,
                fmt::format("a topic's name has {} characters, at most {} are allowed", name.size(),
                            topic_name_bytes_max));
  }
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!std::all_of(name.begin(), name.end(), allowed)) {
    return fail(Errc::invalid_topic,
                "a topic's name may only hold letters, digits, '.', '_' and '-'");
  }
  return {};
}

bool is_internal_topic(std::string_view name) {
  return name == group_topic || name == transaction_topic || name == pipeline_topic ||
         is_epochs_topic(name);
}

bool is_epochs_topic(std::string_view name) {
  return name.starts_with(epochs_topic_prefix);
}

bool topic_names_collide(std::string_view a, std::string_view b) {
  auto same = [](char x, char y) {
    auto fold = [](char c) { return c == '.' ? '_' : c; };
    return fold(x) == fold(y);
  };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same);
}

}  // namespace leat::broker
