// What goes wrong here, in the words of the protocol.
#pragma once

#include "base/result.h"
#include "broker/group_types.h"
#include "wire/error_code.h"

namespace leat::server {

wire::ErrorCode to_wire(Errc code);
/// For what a group refuses.
wire::ErrorCode to_wire(broker::GroupError error);

}  // namespace leat::server
