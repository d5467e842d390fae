// What versions find and leave in the data directory of a broker.
#pragma once

#include <string>
#include <vector>

#include "broker/broker.h"
#include "pipeline/epoch_log.h"
#include "pipeline/version_data.h"

namespace leat::pipeline {

/// Broker and epochs outlive it and what is under way. Not to be called on an executor of the
/// broker.
class BrokerVersionData final : public VersionData {
 public:
  BrokerVersionData(broker::Broker& broker, EpochStore& epochs)
      : broker_(broker), epochs_(epochs) {}

  Result<Positions> find(const std::vector<std::string>& topics,
                         const LogPosition& position) override;
  Result<void> check_repeatable(const std::string& owner) override;
  Result<Halt> find_halt(const std::string& owner) override;
  Result<TimeBefore> time_before(const plan::Plan& plan, const Positions& at) override;
  void remove_epochs(const std::string& owner, Done done) override;
  void delete_topic(const std::string& name, Done done) override;

 private:
  broker::Broker& broker_;
  EpochStore& epochs_;
};

}  // namespace leat::pipeline
