// The epochs of pipelines in the log of this process.
#pragma once

#include <memory>
#include <string>

#include "broker/broker.h"
#include "pipeline/epoch_log.h"
#include "stream/broker_topics.h"

namespace leat::pipeline {

/// Over the broker's topics "__epochs.<owner>". Broker and topics outlive it.
class BrokerEpochs final : public EpochStore {
 public:
  BrokerEpochs(broker::Broker& broker, stream::BrokerTopics& topics)
      : broker_(broker), topics_(topics) {}

  Result<std::unique_ptr<EpochLog>> open(const std::string& owner) override;
  Result<std::unique_ptr<EpochReader>> read(const std::string& owner) override;

 private:
  broker::Broker& broker_;
  stream::BrokerTopics& topics_;
};

}  // namespace leat::pipeline
