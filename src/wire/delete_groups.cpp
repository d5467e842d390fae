#include "wire/delete_groups.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DeleteGroupsResponse>;
template struct Codec<DeleteGroupsRequest>;

}  // namespace leat::wire
