// The partitions that a member of a consumer group has, or is to have.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/uuid.h"

namespace leat::broker {

/// By topic. A topic without partitions is not in it.
using Assignment = std::map<Uuid, std::set<std::int32_t>>;

std::size_t count_partitions(const Assignment& assignment);
bool contains(const Assignment& assignment, const Uuid& topic, std::int32_t partition);
/// Whether all of `part` is in `whole`.
bool is_part_of(const Assignment& part, const Assignment& whole);
/// Whether any partition is in both.
bool intersects(const Assignment& a, const Assignment& b);
void add(Assignment& to, const Assignment& more);

}  // namespace leat::broker
