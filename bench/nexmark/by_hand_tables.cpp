#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <boost/unordered_map.hpp>

#include "column/timestamp.h"
#include "nexmark/by_hand.h"

namespace leat::nexmark {

namespace {

using Text = std::string_view;
template <class Value>
using ById = boost::unordered_flat_map<std::int64_t, Value>;

class Q3 final : public ByHand {
 public:
  explicit Q3(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    for (std::size_t i = 0; i < events.rows; ++i) {
      if (events.type[i] == Kind::auction && events.auction.category[i] == 10) {
        std::int64_t seller = events.auction.seller[i], id = events.auction.id[i];
        auctions_[seller].push_back(id);
        auto at = people_.find(seller);
        if (at != people_.end()) give(at->second, id);
      } else if (events.type[i] == Kind::person) {
        add_person(events.person, i);
      }
    }
    rows_.hand_on();
  }

 private:
  struct Person {
    std::string name, city, state;
  };
  void add_person(const EventColumns::Persons& p, std::size_t i) {
    Text state = p.state[i];
    if (state != "OR" && state != "ID" && state != "CA") return;
    Person person{std::string(p.name[i]), std::string(p.city[i]), std::string(state)};
    auto at = people_.insert_or_assign(p.id[i], std::move(person)).first;
    auto waiting = auctions_.find(p.id[i]);
    if (waiting == auctions_.end()) return;
    for (std::int64_t id : waiting->second) give(at->second, id);
  }
  void give(const Person& person, std::int64_t id) {
    rows_.add(person.name, person.city, person.state, id);
  }

  Rows<Text, Text, Text, std::int64_t> rows_;
  boost::unordered_map<std::int64_t, Person> people_;  // whose texts stay where they are
  ById<std::vector<std::int64_t>> auctions_;           // by seller
};

// Which of the three ranks of q15, q16 and q17 the price has: 1 to 3.
std::size_t rank_of(std::int64_t price) {
  return price < 10'000 ? 1 : price < 1'000'000 ? 2 : 3;
}

std::int64_t day_of(std::int64_t time_ms) {
  return time_ms / 86'400'000;
}
std::string day_text(std::int64_t day) {
  std::string text;
  column::append_timestamp(text, {day * 86'400'000});
  return text.substr(0, 10);
}

/// Of all bids, and of those of each rank.
struct BidSums {
  using Set = boost::unordered_flat_set<std::int64_t>;
  std::array<std::int64_t, 4> bids{};
  std::array<Set, 4> bidders, auctions;

  void add(const EventColumns::Bids& b, std::size_t i) {
    for (std::size_t rank : {std::size_t{0}, rank_of(b.price[i])}) {
      ++bids[rank];
      bidders[rank].insert(b.bidder[i]);
      auctions[rank].insert(b.auction[i]);
    }
  }
  static std::int64_t size(const Set& set) { return static_cast<std::int64_t>(set.size()); }
  /// Calls `use` with the cells before, and twelve numbers behind.
  template <class Use, class... Cells>
  void give(const Use& use, const Cells&... cells) const {
    use(cells..., bids[0], bids[1], bids[2], bids[3], size(bidders[0]), size(bidders[1]),
        size(bidders[2]), size(bidders[3]), size(auctions[0]), size(auctions[1]), size(auctions[2]),
        size(auctions[3]));
  }
};

using N = std::int64_t;

class Q15 final : public ByHand {
 public:
  explicit Q15(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      std::int64_t day = day_of(b.time[i]);
      if (day_ == nullptr || day_->number != day) {
        day_ = &days_[day];
        day_->number = day;
        day_->text = day_text(day);
        changed_.push_back(day_);
      } else if (changed_.empty()) {
        changed_.push_back(day_);
      }
      day_->sums.add(b, i);
    });
  }
  void end_step() override {
    for (const Day* day : changed_) {
      auto put = [&](const auto&... cells) {
        rows_.put(static_cast<std::uint64_t>(day->number), cells...);
      };
      day->sums.give(put, Text(day->text));
    }
    rows_.hand_on();
    changed_.clear();
  }

 private:
  struct Day {
    std::int64_t number = -1;
    std::string text;
    BidSums sums;
  };
  Rows<Text, N, N, N, N, N, N, N, N, N, N, N, N> rows_;
  boost::unordered_map<std::int64_t, Day> days_;
  Day* day_ = nullptr;
  std::vector<const Day*> changed_;
};

class Q16 final : public ByHand {
 public:
  explicit Q16(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      Group& group = find(b.channel[i], day_of(b.time[i]));
      group.minute = std::max(group.minute, b.time[i] / 60'000);
      group.sums.add(b, i);
      if (!std::exchange(group.changed, true)) changed_.push_back(&group);
    });
  }
  void end_step() override {
    std::string minute;
    for (Group* group : changed_) {
      minute.clear();
      column::append_timestamp(minute, {group->minute * 60'000});
      auto put = [&](const auto&... cells) { rows_.put(group->key, cells...); };
      group->sums.give(put, Text(group->channel), Text(group->day),
                       Text(group->minute_text = minute.substr(11, 5)));
      group->changed = false;
    }
    rows_.hand_on();
    changed_.clear();
  }

 private:
  struct Group {
    std::uint64_t key = 0;
    std::string channel, day, minute_text;
    std::int64_t minute = 0;
    BidSums sums;
    bool changed = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(Text text) const { return XXH3_64bits(text.data(), text.size()); }
  };
  using Groups = boost::unordered_map<std::string, Group, Hash, std::equal_to<>>;

  Group& find(Text channel, std::int64_t day) {
    if (day != day_) {
      day_ = day;
      groups_ = &days_[day];
    }
    auto at = groups_->find(channel, Hash(), std::equal_to<>());
    if (at != groups_->end()) return at->second;
    Group& group = (*groups_)[std::string(channel)];
    group.key = hash_of(channel, day);
    group.channel = channel;
    group.day = day_text(day);
    return group;
  }

  Rows<Text, Text, Text, N, N, N, N, N, N, N, N, N, N, N, N> rows_;
  boost::unordered_map<std::int64_t, Groups> days_;
  Groups* groups_ = nullptr;
  std::int64_t day_ = -1;
  std::vector<Group*> changed_;
};

class Q17 final : public ByHand {
 public:
  explicit Q17(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      std::int64_t day = day_of(b.time[i]), price = b.price[i];
      if (day != day_) {
        day_ = day;
        days_.push_back(day_text(day));
        places_.clear();
      }
      auto [at, is_new] = places_.try_emplace(b.auction[i], groups_.size());
      if (is_new) groups_.push_back({b.auction[i], days_.size() - 1, {}, price, price, 0, false});
      Group& group = groups_[at->second];
      ++group.bids[0];
      ++group.bids[rank_of(price)];
      group.least = std::min(group.least, price);
      group.most = std::max(group.most, price);
      group.sum += price;
      if (!std::exchange(group.changed, true)) changed_.push_back(at->second);
    });
  }
  void end_step() override {
    for (std::size_t place : changed_) {
      Group& group = groups_[place];
      double mean = static_cast<double>(group.sum) / static_cast<double>(group.bids[0]);
      rows_.put(place, group.auction, days_[group.day], group.bids[0], group.bids[1], group.bids[2],
                group.bids[3], group.least, group.most, mean, group.sum);
      group.changed = false;
    }
    rows_.hand_on();
    changed_.clear();
  }

 private:
  struct Group {
    std::int64_t auction;
    std::size_t day;
    std::array<std::int64_t, 4> bids;
    std::int64_t least, most, sum;
    bool changed;
  };
  Rows<N, Text, N, N, N, N, N, N, double, N> rows_;
  ById<std::size_t> places_;  // of this day's
  std::vector<Group> groups_;
  std::vector<std::string> days_;
  std::int64_t day_ = -1;
  std::vector<std::size_t> changed_;
};

/// A bid that is kept.
struct KeptBid {
  KeptBid(const EventColumns::Bids& b, std::size_t i)
      : auction(b.auction[i]),
        bidder(b.bidder[i]),
        price(b.price[i]),
        time(b.time[i]),
        channel(b.channel[i]),
        url(b.url[i]),
        extra(b.extra[i]) {}
  // With the memory that the texts before had.
  void set(const EventColumns::Bids& b, std::size_t i) {
    auction = b.auction[i];
    bidder = b.bidder[i];
    price = b.price[i];
    time = b.time[i];
    channel = b.channel[i];
    url = b.url[i];
    extra = b.extra[i];
  }
  std::int64_t auction, bidder, price, time;
  std::string channel, url, extra;
};

class Q18 final : public ByHand {
 public:
  explicit Q18(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      auto [at, is_new] = places_.try_emplace({b.bidder[i], b.auction[i]}, bids_.size());
      if (is_new) {
        bids_.emplace_back(b, i);
        is_changed_.push_back(false);
      } else {
        bids_[at->second].set(b, i);
      }
      if (is_changed_[at->second]) return;
      is_changed_[at->second] = true;
      changed_.push_back(at->second);
    });
  }
  void end_step() override {
    for (std::size_t place : changed_) {
      const KeptBid& bid = bids_[place];
      rows_.put(place, bid.auction, bid.bidder, bid.price, bid.channel, bid.url, bid.time,
                bid.extra);
      is_changed_[place] = false;
    }
    rows_.hand_on();
    changed_.clear();
  }

 private:
  Rows<N, N, N, Text, Text, N, Text> rows_;
  boost::unordered_flat_map<std::pair<std::int64_t, std::int64_t>, std::size_t> places_;
  std::vector<KeptBid> bids_;
  std::vector<bool> is_changed_;
  std::vector<std::size_t> changed_;
};

class Q19 final : public ByHand {
 public:
  explicit Q19(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      auto [at, is_new] = places_.try_emplace(b.auction[i], tops_.size());
      if (is_new) tops_.emplace_back();
      Top& top = tops_[at->second];
      auto lower = [&](const KeptBid& bid) { return bid.price < b.price[i]; };
      auto place = std::find_if(top.bids.begin(), top.bids.end(), lower);
      auto rank = static_cast<std::size_t>(place - top.bids.begin());
      if (rank == limit) return;
      if (top.bids.size() == limit) top.bids.pop_back();
      top.bids.emplace(top.bids.begin() + static_cast<std::ptrdiff_t>(rank), b, i);
      if (top.changed_from == limit) changed_.push_back(at->second);
      top.changed_from = std::min(top.changed_from, rank);
    });
  }
  void end_step() override {
    for (std::size_t place : changed_) {
      Top& top = tops_[place];
      for (std::size_t i = top.changed_from; i < top.bids.size(); ++i) {
        const KeptBid& bid = top.bids[i];
        rows_.put(place * limit + i, bid.auction, bid.bidder, bid.price, bid.channel, bid.url,
                  bid.time, bid.extra, static_cast<std::int64_t>(i) + 1);
      }
      top.changed_from = limit;
    }
    rows_.hand_on();
    changed_.clear();
  }

 private:
  static constexpr std::size_t limit = 10;
  struct Top {
    std::vector<KeptBid> bids;  // the dearest first, ties by time
    std::size_t changed_from = limit;
  };
  Rows<N, N, N, Text, Text, N, Text, N> rows_;
  ById<std::size_t> places_;
  std::vector<Top> tops_;
  std::vector<std::size_t> changed_;
};

// Auctions come once, so a bid waits only for one that is yet to come.
class Q20 final : public ByHand {
 public:
  explicit Q20(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    for (std::size_t i = 0; i < events.rows; ++i) {
      if (events.type[i] == Kind::bid) {
        add_bid(events.bid, i);
      } else if (events.type[i] == Kind::auction) {
        add_auction(events.auction, i);
      }
    }
    rows_.hand_on();
    given_.clear();
  }

 private:
  struct Auction {
    Auction(const EventColumns::Auctions& a, std::size_t i)
        : id(a.id[i]),
          initial_bid(a.initial_bid[i]),
          reserve(a.reserve[i]),
          time(a.time[i]),
          expires(a.expires[i]),
          seller(a.seller[i]),
          category(a.category[i]),
          item(a.item[i]),
          description(a.description[i]),
          extra(a.extra[i]) {}
    std::int64_t id, initial_bid, reserve, time, expires, seller, category;
    std::string item, description, extra;
  };
  static constexpr std::size_t another = static_cast<std::size_t>(-1);  // of other categories

  void add_bid(const EventColumns::Bids& b, std::size_t i) {
    auto at = places_.find(b.auction[i]);
    if (at == places_.end()) {
      waiting_[b.auction[i]].emplace_back(b, i);
      return;
    }
    if (at->second == another) return;
    give(b.auction[i], b.bidder[i], b.price[i], b.channel[i], b.url[i], b.time[i], b.extra[i],
         *auctions_[at->second]);
  }
  void add_auction(const EventColumns::Auctions& a, std::size_t i) {
    bool wanted = a.category[i] == 10;
    places_.emplace(a.id[i], wanted ? auctions_.size() : another);
    if (wanted) auctions_.push_back(std::make_unique<Auction>(a, i));
    auto waiting = waiting_.find(a.id[i]);
    if (waiting == waiting_.end()) return;
    if (wanted) {
      for (const KeptBid& bid : given_.emplace_back(std::move(waiting->second))) {
        give(bid.auction, bid.bidder, bid.price, bid.channel, bid.url, bid.time, bid.extra,
             *auctions_.back());
      }
    }
    waiting_.erase(waiting);
  }
  void give(N auction, N bidder, N price, Text channel, Text url, N time, Text extra,
            const Auction& of) {
    rows_.add(auction, bidder, price, channel, url, time, extra, of.item, of.description,
              of.initial_bid, of.reserve, of.time, of.expires, of.seller, of.category, of.extra);
  }

  Rows<N, N, N, Text, Text, N, Text, Text, Text, N, N, N, N, N, N, Text> rows_;
  ById<std::size_t> places_;
  std::vector<std::unique_ptr<Auction>> auctions_;
  ById<std::vector<KeptBid>> waiting_;  // by auction
  std::vector<std::vector<KeptBid>> given_;
};

}  // namespace

std::vector<Program> table_programs() {
  return {{"q3", make_by_hand<Q3>},   {"q15", make_by_hand<Q15>}, {"q16", make_by_hand<Q16>},
          {"q17", make_by_hand<Q17>}, {"q18", make_by_hand<Q18>}, {"q19", make_by_hand<Q19>},
          {"q20", make_by_hand<Q20>}};
}

}  // namespace leat::nexmark
