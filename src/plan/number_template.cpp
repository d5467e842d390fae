#include "plan/number_template.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "column/type.h"
#include "plan/text_place.h"

namespace leat::plan {

namespace {

using std::string_view;
using Part = NumberTemplate::Part;
using Kind = Part::Kind;

struct Pattern {
  string_view large;
  string_view small;
  Kind kind;
};

// Longer ones before what they begin with.
constexpr Pattern patterns[] = {{"9", "9", Kind::nine},       {"0", "0", Kind::zero},
                                {",", ",", Kind::comma},      {"G", "g", Kind::comma},
                                {".", ".", Kind::point},      {"D", "d", Kind::point},
                                {"SG", "sg", Kind::any_sign}, {"S", "s", Kind::sign},
                                {"MI", "mi", Kind::minus},    {"PL", "pl", Kind::plus}};

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool is_of_sign(const Part& part) {
  return part.kind == Kind::sign || part.kind == Kind::any_sign || part.kind == Kind::minus ||
         part.kind == Kind::plus;
}

class Parser {
 public:
  explicit Parser(string_view text) : text_(text) {}

  std::optional<NumberTemplate> run(std::string* why) {
    for (auto fm : {"FM", "fm"}) {
      if (!text_.starts_with(fm)) continue;
      made_.is_short = true;
      at_ = 2;
      break;
    }
    while (at_ < text_.size() && why_.empty()) take();
    if (why_.empty()) find_digits();
    if (why_.empty()) check_signs();
    if (why_.empty()) return std::move(made_);
    if (why != nullptr) *why = why_;
    return {};
  }

 private:
  std::size_t character() const { return characters_in(text_.substr(0, at_)) + 1; }

  void take() {
    for (const auto& pattern : patterns) {
      string_view begin = text_.substr(at_, pattern.large.size());
      if (begin != pattern.large && begin != pattern.small) continue;
      made_.parts.push_back({pattern.kind, ""});
      at_ += begin.size();
      return;
    }
    if (text_[at_] == '"') {
      auto end = text_.find('"', at_ + 1);
      if (end == text_.npos) {
        why_ = fmt::format("the quote at character {} does not end", character());
        return;
      }
      add_text(text_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
      return;
    }
    if (is_letter(text_[at_])) return refuse_letters();
    add_text(text_.substr(at_++, 1));
  }
  void add_text(string_view text) {
    bool goes_on = !made_.parts.empty() && made_.parts.back().kind == Kind::text;
    if (!goes_on) made_.parts.push_back({Kind::text, ""});
    made_.parts.back().text += text;
  }
  void refuse_letters() {
    std::size_t end = at_;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    string_view word = text_.substr(at_, end - at_);
    if (word.starts_with("FM") || word.starts_with("fm")) {
      why_ = "FM stands in front of all else";
      return;
    }
    why_ = fmt::format(
        "'{}' at character {} is no pattern; there are: 9, 0, ',', '.', G, D, S, SG, MI, PL and, "
        "in front, FM; letters that mean themselves are in double quotes",
        shortened(word, 40), character());
  }

  void find_digits() {
    auto& parts = made_.parts;
    auto is_of_number = [](const Part& part) {
      return part.is_digit() || part.kind == Kind::comma || part.kind == Kind::point;
    };
    auto first = std::find_if(parts.begin(), parts.end(), is_of_number);
    auto last = std::find_if(parts.rbegin(), parts.rend(), is_of_number).base();
    bool behind_point = false;
    for (auto part = first; part < last; ++part) {
      if (part->kind == Kind::point) {
        if (behind_point) why_ = "it has two points";
        behind_point = true;
      } else if (part->is_digit()) {
        ++(behind_point ? made_.fraction_digits : made_.whole_digits);
      } else if (part->kind == Kind::comma && (behind_point || !is_between_digits(part))) {
        why_ = "a comma stands between digits before the point";
      } else if (is_of_sign(*part)) {
        why_ = "what is about the sign stands before all digits or behind them";
      }
    }
    if (!why_.empty()) return;
    if (made_.whole_digits == 0) why_ = "it needs a digit, 9 or 0, before the point";
    if (behind_point && made_.fraction_digits == 0) why_ = "it needs a digit behind the point";
    made_.digits_begin = static_cast<std::size_t>(first - parts.begin());
    made_.digits_end = static_cast<std::size_t>(last - parts.begin());
  }
  bool is_between_digits(std::vector<Part>::iterator comma) const {
    bool begins = comma == made_.parts.begin(), ends = comma + 1 == made_.parts.end();
    return !begins && !ends && (comma - 1)->is_digit() && (comma + 1)->is_digit();
  }

  void check_signs() {
    auto count = [&](auto is) { return std::count_if(made_.parts.begin(), made_.parts.end(), is); };
    auto signs = count(is_of_sign);
    bool has_sign = count([](const Part& part) { return part.kind == Kind::sign; }) > 0;
    if (has_sign && signs > 1) why_ = "S, the sign beside the digits, stands alone";
  }

  string_view text_;
  std::size_t at_ = 0;
  NumberTemplate made_;
  std::string why_;
};

bool has_kind(const std::vector<Part>& parts, std::size_t begin, std::size_t end, Kind kind) {
  for (std::size_t i = begin; i < end; ++i) {
    if (parts[i].kind == kind) return true;
  }
  return false;
}

}  // namespace

bool NumberTemplate::has_before(Part::Kind kind) const {
  return has_kind(parts, 0, digits_begin, kind);
}
bool NumberTemplate::has_behind(Part::Kind kind) const {
  return has_kind(parts, digits_end, parts.size(), kind);
}

std::optional<NumberTemplate> parse_number_template(string_view text, std::string* why) {
  return Parser(text).run(why);
}

std::optional<NumberTemplate> parse_number_reading(string_view text, std::string* why) {
  auto found = Parser(text).run(why);
  auto refuse = [&](std::string reason) {
    if (why != nullptr) *why = std::move(reason);
    return std::nullopt;
  };
  if (!found) return found;
  if (has_kind(found->parts, found->digits_begin, found->digits_end, Kind::text)) {
    return refuse("a text between the digits is written only");
  }
  for (const auto& part : found->parts) {
    if (part.text.find_first_of("+-") == part.text.npos) continue;
    return refuse("the sign of what is read is said by S, SG, MI or PL, or by nothing");
  }
  if (found->whole_digits + found->fraction_digits > column::precision_max) {
    return refuse(fmt::format("decimals have {} digits at most", column::precision_max));
  }
  return found;
}

}  // namespace leat::plan
