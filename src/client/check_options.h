// Whether options make sense, and what is to be committed.
#pragma once

#include <optional>
#include <vector>

#include "client/error.h"
#include "leat/cluster.h"
#include "leat/options.h"

namespace leat::client {

// Errc::invalid_argument with the name of the first one that does not. The brokers of a client are
// looked at by Cluster.

std::optional<Error> check(const ClientOptions& options);
std::optional<Error> check(const ProducerOptions& options);
std::optional<Error> check(const ConsumerOptions& options);
std::optional<Error> check(const std::vector<leat::CommittedOffset>& offsets);

}  // namespace leat::client
