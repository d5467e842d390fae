#include <algorithm>
#include <string>

#include <boost/unordered/unordered_flat_map.hpp>

#include "nexmark/by_hand.h"
#include "nexmark/queries.h"

namespace leat::nexmark {

namespace {

using Text = std::string_view;

class Q0 final : public ByHand {
 public:
  explicit Q0(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      rows_.add(b.auction[i], b.bidder[i], b.price[i], b.time[i], b.extra[i]);
    });
    rows_.hand_on();
  }

 private:
  Rows<std::int64_t, std::int64_t, std::int64_t, std::int64_t, Text> rows_;
};

// 0.908 times the price, in thousandths.
std::int64_t euros(std::int64_t price) {
  return price * 908;
}

class Q1 final : public ByHand {
 public:
  explicit Q1(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      rows_.add(b.auction[i], b.bidder[i], euros(b.price[i]), b.time[i], b.extra[i]);
    });
    rows_.hand_on();
  }

 private:
  Rows<std::int64_t, std::int64_t, std::int64_t, std::int64_t, Text> rows_;
};

class Q2 final : public ByHand {
 public:
  explicit Q2(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      if (b.auction[i] % 123 == 0) rows_.add(b.auction[i], b.price[i]);
    });
    rows_.hand_on();
  }

 private:
  Rows<std::int64_t, std::int64_t> rows_;
};

class Q13 final : public ByHand {
 public:
  Q13(Answer& answer, const SideInput& side) : rows_(answer) {
    for (std::size_t i = 0; i < side.size(); ++i) values_.emplace(i, side[i]);
  }
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      auto at = values_.find(b.auction[i] % static_cast<std::int64_t>(side_rows));
      if (at == values_.end()) return;
      rows_.add(b.auction[i], b.bidder[i], b.price[i], b.time[i], at->second);
    });
    rows_.hand_on();
  }

 private:
  Rows<std::int64_t, std::int64_t, std::int64_t, std::int64_t, Text> rows_;
  boost::unordered_flat_map<std::int64_t, std::string> values_;
};

class Q14 final : public ByHand {
 public:
  explicit Q14(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      std::int64_t price = euros(b.price[i]);
      if (price <= 1'000'000'000 || price >= 50'000'000'000) return;
      std::int64_t hour = b.time[i] / 3'600'000 % 24;
      Text part = "otherTime";
      if (hour >= 8 && hour <= 18)
        part = "dayTime";
      else if (hour <= 6 || hour >= 20)
        part = "nightTime";
      auto letters = std::count(b.extra[i].begin(), b.extra[i].end(), 'c');
      rows_.add(b.auction[i], b.bidder[i], price, part, b.time[i], b.extra[i], letters);
    });
    rows_.hand_on();
  }

 private:
  Rows<std::int64_t, std::int64_t, std::int64_t, Text, std::int64_t, Text, std::int64_t> rows_;
};

class Q21 final : public ByHand {
 public:
  explicit Q21(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      if (auto id = number_of(b.channel[i]); !id.empty() || find_in(b.url[i], id)) {
        rows_.add(b.auction[i], b.bidder[i], b.price[i], b.channel[i], id);
      }
    });
    rows_.hand_on();
  }

 private:
  static bool equal_in_any_case(Text text, Text lower) {
    auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
    return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), same);
  }
  static Text number_of(Text channel) {
    if (equal_in_any_case(channel, "apple")) return "0";
    if (equal_in_any_case(channel, "google")) return "1";
    if (equal_in_any_case(channel, "facebook")) return "2";
    if (equal_in_any_case(channel, "baidu")) return "3";
    return {};
  }
  static bool find_in(Text url, Text& id) {
    constexpr Text name = "channel_id=";
    std::size_t at = url.find(name);
    while (at != Text::npos && at > 0 && url[at - 1] != '&') at = url.find(name, at + 1);
    if (at == Text::npos) return false;
    id = url.substr(at + name.size());
    id = id.substr(0, id.find('&'));
    return true;
  }

  Rows<std::int64_t, std::int64_t, std::int64_t, Text, Text> rows_;
};

class Q22 final : public ByHand {
 public:
  explicit Q22(Answer& answer) : rows_(answer) {}
  void take(const EventColumns& events) override {
    const auto& b = events.bid;
    events.for_bids([&](std::size_t i) {
      Text parts[3];
      Text rest = b.url[i];
      for (int part = 0; part < 6 && !rest.empty(); ++part) {
        std::size_t end = std::min(rest.find('/'), rest.size());
        if (part >= 3) parts[part - 3] = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      rows_.add(b.auction[i], b.bidder[i], b.price[i], b.channel[i], parts[0], parts[1], parts[2]);
    });
    rows_.hand_on();
  }

 private:
  Rows<std::int64_t, std::int64_t, std::int64_t, Text, Text, Text, Text> rows_;
};

}  // namespace

std::vector<Program> stateless_programs() {
  return {{"q0", make_by_hand<Q0>},   {"q1", make_by_hand<Q1>},   {"q2", make_by_hand<Q2>},
          {"q13", make_by_hand<Q13>}, {"q14", make_by_hand<Q14>}, {"q21", make_by_hand<Q21>},
          {"q22", make_by_hand<Q22>}};
}

}  // namespace leat::nexmark
