// What versions find and leave in the data directory of a broker.
#pragma once

#include <string>
#include <vector>

#include "broker/broker.h"
#include "pipeline/version_data.h"

namespace leat::pipeline {

/// The broker outlives it and what is under way. Not to be called on an executor of the broker.
class BrokerVersionData final : public VersionData {
 public:
  explicit BrokerVersionData(broker::Broker& broker) : broker_(broker) {}

  Result<Positions> find(const std::vector<std::string>& topics,
                         const LogPosition& position) override;
  void remove_epochs(const std::string& owner, Done done) override;
  void delete_topic(const std::string& name, Done done) override;

 private:
  broker::Broker& broker_;
};

}  // namespace leat::pipeline
