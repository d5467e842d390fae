// Which names a topic may have.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"

namespace leat::broker {

inline constexpr std::size_t topic_name_bytes_max = 249;

/// Kafka's rule: 1 to 249 of [a-zA-Z0-9._-], and neither "." nor "..". Errc::invalid_topic with the
/// reason otherwise.
Result<void> check_topic_name(std::string_view name);

/// Where groups are kept (broker/groups.h).
inline constexpr std::string_view group_topic = "__consumer_offsets";
/// Where transactions are kept (broker/transaction_log.h).
inline constexpr std::string_view transaction_topic = "__transaction_state";

/// Where pipelines and their versions are kept.
inline constexpr std::string_view pipeline_topic = "__pipelines";
/// What the names of topics begin with in which epochs are kept (broker/epochs.h).
inline constexpr std::string_view epochs_topic_prefix = "__epochs.";

/// True for topics that the server writes, and clients only read.
bool is_internal_topic(std::string_view name);
bool is_epochs_topic(std::string_view name);

/// True for names that differ only in '.' and '_', which Kafka's metrics cannot tell apart.
bool topic_names_collide(std::string_view a, std::string_view b);

}  // namespace leat::broker
