#include "wire/list_groups.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ListGroupsResponse>;
template struct Codec<ListGroupsRequest>;

}  // namespace leat::wire
