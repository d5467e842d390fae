// Base64 (RFC 4648, with padding): how bytes that are not text stand in JSON.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace leat::tools {

void append_base64(std::string& out, BytesView bytes);
/// Appends what `text` stands for; false, with `out` in any state, if it is not base64.
bool append_from_base64(Bytes& out, std::string_view text);

}  // namespace leat::tools
