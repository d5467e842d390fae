// What goes wrong here, in the words of the protocol.
#pragma once

#include "base/result.h"
#include "broker/group_types.h"
#include "wire/error_code.h"

namespace leat::server {

wire::ErrorCode to_wire(Errc code);
/// The same for clients that know, or do not, that a transaction can only be aborted (KIP-890).
wire::ErrorCode to_wire(Errc code, bool knows_abortable);
/// For what a group refuses.
wire::ErrorCode to_wire(broker::GroupError error);

}  // namespace leat::server
