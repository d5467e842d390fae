// DeleteTopics, by name or, from version 6 on, by name or id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct DeleteTopicsResponse {
  static constexpr ApiKey key = ApiKey::delete_topics;
  static constexpr Versions valid{0, 6};
  static constexpr Versions flexible = since(4);

  struct Topic {
    std::optional<std::string> name;  // null: asked for by an id that is not there
    Uuid topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    static void fields(auto& m, auto& v) {
      v("name", m.name, always, since(6));
      v("topic_id", m.topic_id, since(6));
      v("error_code", m.error_code);
      v("error_message", m.error_message, since(5));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> responses;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("responses", m.responses);
  }
};

struct DeleteTopicsRequest {
  static constexpr ApiKey key = ApiKey::delete_topics;
  static constexpr Versions valid{0, 6};
  static constexpr Versions flexible = since(4);
  using Response = DeleteTopicsResponse;

  struct Topic {
    std::optional<std::string> name;  // null: by id
    Uuid topic_id;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("topic_id", m.topic_id);
    }
  };
  std::vector<Topic> topics;             // from version 6 on
  std::vector<std::string> topic_names;  // before
  std::int32_t timeout_ms = 0;
  static void fields(auto& m, auto& v) {
    v("topics", m.topics, since(6));
    v("topic_names", m.topic_names, until(5));
    v("timeout_ms", m.timeout_ms);
  }
};

}  // namespace leat::wire
