#include <algorithm>
#include <deque>
#include <limits>
#include <string>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <boost/unordered_map.hpp>

#include "nexmark/by_hand.h"

namespace leat::nexmark {

namespace {

using Text = std::string_view;
using Counts = boost::unordered_flat_map<std::int64_t, std::int64_t>;
constexpr std::int64_t window_ms = 10'000;

std::int64_t floor_to(std::int64_t time_ms, std::int64_t step_ms) {
  return time_ms / step_ms * step_ms;
}

// Bids of each auction, in the window and in its slides: what leaves is taken off.
class Q5 final : public ByHand {
 public:
  explicit Q5(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      if (b.time[i] >= end_ms_) move_to(b.time[i]);
      ++slides_.back()[b.auction[i]];
      ++counts_[b.auction[i]];
    });
    rows_.hand_on();
  }
  void finish() override {
    while (!counts_.empty()) move_on();
    rows_.hand_on();
  }

 private:
  static constexpr std::int64_t slide_ms = 2000;

  void move_to(std::int64_t time_ms) {
    if (slides_.empty()) {
      end_ms_ = floor_to(time_ms, slide_ms) + slide_ms;
      slides_.emplace_back();
    }
    while (time_ms >= end_ms_) move_on();
  }
  // The window ends here that the last slides are.
  void move_on() {
    std::int64_t most = 0;
    for (const auto& [auction, count] : counts_) most = std::max(most, count);
    for (const auto& [auction, count] : counts_) {
      if (count == most) rows_.add(auction, count);
    }
    if (slides_.size() == window_ms / slide_ms) {
      for (const auto& [auction, count] : slides_.front()) {
        auto at = counts_.find(auction);
        at->second -= count;
        if (at->second == 0) counts_.erase(at);
      }
      slides_.pop_front();
    }
    slides_.emplace_back();
    end_ms_ += slide_ms;
  }

  Rows<std::int64_t, std::int64_t> rows_;
  std::deque<Counts> slides_;
  Counts counts_;
  std::int64_t end_ms_ = 0;
};

// The dearest bids so far of this window.
class Q7 final : public ByHand {
 public:
  explicit Q7(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      if (b.time[i] >= end_ms_) close(b.time[i]);
      if (!dearest_.empty() && b.price[i] < dearest_[0].price) return;
      if (!dearest_.empty() && b.price[i] > dearest_[0].price) dearest_.clear();
      dearest_.push_back(
          {b.auction[i], b.price[i], b.bidder[i], b.time[i], std::string(b.extra[i])});
    });
    rows_.hand_on();
  }
  void finish() override { close(0); }

 private:
  struct Bid {
    std::int64_t auction, price, bidder, time;
    std::string extra;
  };
  void close(std::int64_t next_ms) {
    for (const Bid& bid : dearest_) {
      rows_.add(bid.auction, bid.price, bid.bidder, bid.time, bid.extra);
    }
    rows_.hand_on();
    dearest_.clear();
    end_ms_ = floor_to(next_ms, window_ms) + window_ms;
  }

  Rows<std::int64_t, std::int64_t, std::int64_t, std::int64_t, Text> rows_;
  std::vector<Bid> dearest_;
  std::int64_t end_ms_ = 0;
};

class Q8 final : public ByHand {
 public:
  explicit Q8(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    for (std::size_t i = 0; i < events.rows; ++i) {
      if (events.type[i] == Kind::person) {
        begin(events.person.time[i]);
        auto at = people_.emplace(events.person.id[i], events.person.name[i]).first;
        if (sellers_.contains(at->first)) rows_.add(at->first, at->second, start_ms_);
      } else if (events.type[i] == Kind::auction) {
        begin(events.auction.time[i]);
        std::int64_t seller = events.auction.seller[i];
        if (!sellers_.insert(seller).second) continue;
        auto at = people_.find(seller);
        if (at != people_.end()) rows_.add(at->first, at->second, start_ms_);
      }
    }
    rows_.hand_on();
  }

 private:
  void begin(std::int64_t time_ms) {
    if (time_ms < start_ms_ + window_ms) return;
    rows_.hand_on();
    start_ms_ = floor_to(time_ms, window_ms);
    people_.clear();
    sellers_.clear();
  }

  Rows<std::int64_t, Text, std::int64_t> rows_;
  boost::unordered_map<std::int64_t, std::string> people_;  // whose names stay where they are
  boost::unordered_flat_set<std::int64_t> sellers_;
  std::int64_t start_ms_ = 0;
};

// Sessions that are over are found by a look at all, once in a while.
class Q11 final : public ByHand {
 public:
  explicit Q11(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      std::int64_t time = b.time[i];
      if (time >= look_at_ms_) {
        give_before(time - gap_ms);
        look_at_ms_ = time + gap_ms;
      }
      auto [at, is_new] = sessions_.try_emplace(b.bidder[i], Session{time, time, 0});
      Session& session = at->second;
      if (time - session.last >= gap_ms) {
        give(at->first, session);
        session = {time, time, 0};
      }
      ++session.count;
      session.last = time;
    });
    rows_.hand_on();
  }
  void finish() override {
    give_before(std::numeric_limits<std::int64_t>::max());
    rows_.hand_on();
  }

 private:
  static constexpr std::int64_t gap_ms = 10'000;
  struct Session {
    std::int64_t start, last, count;
  };
  void give(std::int64_t bidder, const Session& session) {
    rows_.add(bidder, session.count, session.start, session.last + gap_ms);
  }
  void give_before(std::int64_t last_ms) {
    boost::unordered::erase_if(sessions_, [&](const auto& entry) {
      if (entry.second.last > last_ms) return false;
      give(entry.first, entry.second);
      return true;
    });
  }

  Rows<std::int64_t, std::int64_t, std::int64_t, std::int64_t> rows_;
  boost::unordered_flat_map<std::int64_t, Session> sessions_;
  std::int64_t look_at_ms_ = 0;
};

class Q12 final : public ByHand {
 public:
  explicit Q12(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      if (b.time[i] >= end_ms_) close(b.time[i]);
      ++counts_[b.bidder[i]];
    });
    rows_.hand_on();
  }
  void finish() override {
    close(0);
    rows_.hand_on();
  }

 private:
  void close(std::int64_t next_ms) {
    for (const auto& [bidder, count] : counts_) {
      rows_.add(bidder, count, end_ms_ - window_ms, end_ms_);
    }
    counts_.clear();
    end_ms_ = floor_to(next_ms, window_ms) + window_ms;
  }

  Rows<std::int64_t, std::int64_t, std::int64_t, std::int64_t> rows_;
  Counts counts_;
  std::int64_t end_ms_ = 0;
};

}  // namespace

std::vector<Program> window_programs() {
  return {{"q5", make_by_hand<Q5>},
          {"q7", make_by_hand<Q7>},
          {"q8", make_by_hand<Q8>},
          {"q11", make_by_hand<Q11>},
          {"q12", make_by_hand<Q12>}};
}

}  // namespace leat::nexmark
