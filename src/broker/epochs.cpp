#include "broker/epochs.h"

#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "broker/epoch_owner.h"
#include "broker/topic_name.h"

namespace leat::broker {

std::string epochs_topic(const std::string& owner) {
  return std::string(epochs_topic_prefix) + owner;
}

Epochs::Epochs(Broker& broker) : broker_(broker) {}

Epochs::~Epochs() {
  // Writers may hold them for longer.
  for (auto& [name, owner] : owners_) owner->let_go();
}

void Epochs::recover() {
  auto topics = broker_.topics();
  for (const TopicPtr& topic : topics->topics()) {
    if (!is_epochs_topic(topic->info.name)) continue;
    find(topic->info.name.substr(epochs_topic_prefix.size())).read();
  }
}

void Epochs::leave() {
  for (auto& [name, owner] : owners_) owner->leave();
}

EpochOwner& Epochs::find(const std::string& owner) {
  std::erase_if(owners_, [](const auto& entry) { return entry.second->is_removed(); });
  auto& found = owners_[owner];
  if (!found) found = std::make_shared<EpochOwner>(broker_, owner);
  return *found;
}

void Epochs::open(const std::string& owner, OpenDone done) {
  find(owner).open(std::move(done));
}

void Epochs::remove(const std::string& owner, Done done) {
  find(owner).remove(std::move(done));
}

bool Epochs::has_producer(ProducerId producer) const {
  return std::any_of(owners_.begin(), owners_.end(),
                     [producer](const auto& entry) { return entry.second->has(producer); });
}

void Epochs::adopt(ProducerId producer, const TopicPartition& partition, Known known) {
  bool are_read = true;
  for (const auto& [name, owner] : owners_) {
    if (owner->has(producer)) return owner->adopt(producer, partition, std::move(known));
    // What is damaged will not be known later either.
    are_read = are_read && (!owner->unread() || owner->unread()->code == Errc::corrupt_message);
  }
  known(!are_read);
}

}  // namespace leat::broker
