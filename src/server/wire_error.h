// What goes wrong here, in the words of the protocol.
#pragma once

#include "base/result.h"
#include "wire/error_code.h"

namespace leat::server {

wire::ErrorCode to_wire(Errc code);

}  // namespace leat::server
