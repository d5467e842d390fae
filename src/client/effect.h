// Whether what was asked of a cluster leaves a trace in it.
#pragma once

#include <cstdint>

#include "wire/api_key.h"

namespace leat::client {

/// Of `possible` ones it is not known what became of them when there was no answer.
enum class Effect : std::uint8_t { none, possible };

constexpr Effect effect_of(wire::ApiKey key) {
  using wire::ApiKey;
  switch (key) {
    case ApiKey::produce:
    case ApiKey::offset_commit:
    case ApiKey::create_topics:
    case ApiKey::delete_topics:
    case ApiKey::delete_records:
    case ApiKey::create_partitions:
    case ApiKey::delete_groups:
    case ApiKey::incremental_alter_configs:
    case ApiKey::end_txn:
    case ApiKey::txn_offset_commit: return Effect::possible;
    default: return Effect::none;
  }
}

}  // namespace leat::client
