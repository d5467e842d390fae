// Stories of consumer groups by seed: whatever happens, no partition has two owners.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"
#include "broker/consumer_group_play.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

/// Members come, beat, are slow, fall silent, leave and come back, topics change, records are not
/// written, and the coordinator restarts.
class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {
    play_.topic("t", 3);
    play_.topic("u", 2);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      check();
    }
    end();
  }

 private:
  std::string some_id() { return fmt::format("m{}", random_.below(5)); }
  bool is_there(const std::string& id) { return play_.clients().contains(id); }

  void begin(const std::string& id) {
    Client client;
    if (random_.one_in(3)) client.instance = "i" + id;
    if (random_.one_in(2)) client.topics = {"t", "u"};
    if (random_.one_in(4)) client.regex = "[tv]";
    if (random_.one_in(4)) client.assignor = "range";
    client.is_slow = random_.one_in(3);
    play_.clients()[id] = client;
  }

  void step() {
    std::string id = some_id();
    switch (random_.below(16)) {
      case 0:
        if (!is_there(id)) begin(id);
        break;
      case 1:
        if (is_there(id)) play_.leave(id);
        break;
      case 2:
        // A static member that is stopped and started anew under the same id, or a crash.
        if (!is_there(id)) break;
        if (play_.client(id).instance && random_.one_in(2)) play_.leave(id, -2);
        play_.clients().erase(id);
        begin(id);
        break;
      case 3: play_.topic("t", 1 + static_cast<std::int32_t>(random_.below(5))); break;
      case 4:
        if (random_.one_in(2)) {
          play_.topic("v", 2);
        } else {
          play_.drop_topic("v");
        }
        break;
      case 5: play_.restart(); break;
      case 6: play_.wait(milliseconds(random_.below(50'000))); break;
      case 7:
        if (is_there(id)) unsaved(id);
        break;
      case 8:
        if (!is_there(id)) break;
        play_.client(id).topics = {random_.one_in(2) ? "t" : "u"};
        play_.client(id).has_to_say_all = true;
        break;
      default:
        if (!is_there(id)) break;
        if (random_.one_in(2)) play_.client(id).take_over();
        play_.beat(id);
    }
  }

  void unsaved(const std::string& id) {
    std::string answer;
    play_.begin_beat(id, answer);
    play_.save(false);
  }

  /// Of those who are members nobody has what another one has.
  void check() {
    std::map<std::pair<Uuid, std::int32_t>, std::string> owners;
    for (const auto& [id, client] : play_.clients()) {
      auto member = play_.group().members().find(id);
      if (member == play_.group().members().end() || client.epoch == 0) continue;
      REQUIRE(member->second.current.epoch >= 0);
      for (const auto& [topic, partitions] : client.owned) {
        for (std::int32_t partition : partitions) {
          auto [at, is_free] = owners.try_emplace({topic, partition}, id);
          REQUIRE_MESSAGE(is_free, id << " has what " << at->second << " has");
        }
      }
    }
    REQUIRE(play_.group().epoch() >= last_epoch_of_members());
  }
  std::int32_t last_epoch_of_members() {
    std::int32_t last = 0;
    for (const auto& [id, client] : play_.clients()) last = std::max(last, client.epoch);
    return last;
  }

  void end() {
    if (play_.clients().empty()) begin("m0");
    for (auto& [id, client] : play_.clients()) {
      client.is_slow = false;
      client.take_over();
    }
    // Those who will not come back are gone after a session.
    for (int i = 0; i < 14; ++i) {
      play_.wait(seconds(5));
      play_.beat_all(1);
    }
    CHECK(play_.state() == "Stable");
    CHECK(play_.group().members().size() == play_.clients().size());
    std::set<std::string> wanted = *play_.group().subscribed_topics();
    std::size_t partitions = 0;
    std::size_t owned = 0;
    for (const std::string& topic : wanted) {
      auto known = play_.topics().by_name.find(topic);
      if (known == play_.topics().by_name.end()) continue;
      partitions += static_cast<std::size_t>(known->second.partitions);
    }
    for (const auto& [id, client] : play_.clients()) {
      owned += count_partitions(client.owned);
      CHECK(client.owned == play_.group().members().at(id).target);
    }
    CHECK(owned == partitions);
    check();
  }

  Random random_;
  Play play_;
};

}  // namespace

TEST_CASE("whatever happens, no partition has two owners, and in the end each has one") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Story(seed).run(120);
  }
}

TEST_SUITE_END();
