// The ids of the server's own topics. Their partitions live at home, and clients only read them.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/uuid.h"

namespace leat {
class Random;
}  // namespace leat

namespace leat::broker {

/// Always the same one for `name`: "leat-" and up to seven letters. No random (version 4) id can be
/// like it, since its version digit is 0.
Uuid own_topic_id(std::string_view name);
/// One for a topic of which there are many, as those of epochs.
Uuid draw_own_topic_id(Random& random);
/// Whether it is one of either kind.
bool is_own_topic_id(const Uuid& id);
/// Whether it is one of own_topic_id(): if making its topic fails, it is made again under this id.
bool is_fixed_topic_id(const Uuid& id);

/// The one partition of the topic that says which pipelines are deployed (pipeline/catalog.h).
TopicPartition pipeline_partition();

}  // namespace leat::broker
