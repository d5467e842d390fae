// Numbers by templates, as PostgreSQL has to_char().
#include "expression/optimize.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "expression/decimal_math.h"
#include "expression/kernel.h"
#include "expression/write_text.h"
#include "plan/number_template.h"

namespace leat::expression {

using column::Int128;
using std::int64_t;
using std::string_view;
using Kind = plan::NumberTemplate::Part::Kind;

namespace {

// ---- Digits ------------------------------------------------------------------------------------

/// A number that is rounded for a template.
struct Digits {
  /// REQUIRES: `text` as numbers are written, without exponent.
  Digits(string_view text, std::size_t behind_point) : fraction_size(behind_point) {
    negative = text.front() == '-';
    if (negative) text.remove_prefix(1);
    std::size_t point = std::min(text.find('.'), text.size());
    whole = text.substr(0, point);
    fraction = text.substr(std::min(point + 1, text.size()));
  }
  /// 0 where none is written.
  char behind_point(std::size_t i) const { return i < fraction.size() ? fraction[i] : '0'; }
  std::size_t last_not_zero() const {  // counted from 1; 0 if none is
    auto last = fraction.find_last_not_of('0');
    return last == fraction.npos ? 0 : last + 1;
  }

  bool negative = false;
  string_view whole;
  string_view fraction;
  std::size_t fraction_size;
};

/// Room for any of them: doubles have up to 309 digits before the point.
using Room = std::array<char, 400>;

struct OfDecimal {
  OfDecimal(int from_scale, int digits)
      : scale(std::min(from_scale, digits)), lost(column::power_of_ten(from_scale - scale)) {}
  string_view write(Room& room, Int128 units) const {
    char* end = write_decimal(room.data(), divide_rounded(units, lost), scale);
    return {room.data(), static_cast<std::size_t>(end - room.data())};
  }

  int scale;
  Int128 lost;
};

string_view write_fixed(Room& room, double value, int digits) {
  auto end =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::fixed, digits)
          .ptr;
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

// 15 digits of a double are its own: behind the point there are no more than that leaves.
Digits digits_of(Room& room, double value, int digits) {
  constexpr auto digits_max = static_cast<std::size_t>(std::numeric_limits<double>::digits10);
  std::size_t whole = write_fixed(room, std::fabs(value), 0).size();
  std::size_t left = whole < digits_max ? digits_max - whole : 0;
  auto kept = std::min(static_cast<std::size_t>(digits), left);
  return {write_fixed(room, value, static_cast<int>(kept)), kept};
}

// ---- Templates ---------------------------------------------------------------------------------

class NumberWriter {
 public:
  explicit NumberWriter(plan::NumberTemplate form) : form_(std::move(form)) {
    std::size_t digit = 0, whole = whole_digits();
    first_zero_ = whole;
    for (const auto& part : form_.parts) {
      size_max_ += part.text.size() + 2;
      if (part.kind == Kind::zero && digit < whole) first_zero_ = std::min(first_zero_, digit);
      if (part.kind == Kind::zero && digit >= whole) last_zero_ = digit - whole + 1;
      if (part.is_digit()) ++digit;
    }
    is_anchored_ = form_.has_before(Kind::sign);
    is_anchored_behind_ = form_.has_behind(Kind::sign);
    auto has = [&](Kind kind) { return form_.has_before(kind) || form_.has_behind(kind); };
    has_sign_in_front_ = !is_anchored_behind_ && !has(Kind::minus) && !has(Kind::any_sign);
  }

  std::size_t size_max() const { return size_max_; }
  int fraction_digits() const { return form_.fraction_digits; }

  /// Returns what is behind it.
  char* write(char* out, const Digits& digits) const {
    State state(*this, digits);
    state.out = out;
    for (std::size_t i = 0; i < form_.parts.size(); ++i) {
      write_part(state, form_.parts[i]);
      if (is_anchored_behind_ && i + 1 == form_.digits_end) *state.out++ = sign_of(digits);
    }
    return state.out;
  }

 private:
  /// How far one number is written.
  struct State {
    State(const NumberWriter& writer, const Digits& number) : digits(number) {
      std::size_t whole = writer.whole_digits();
      overflows = digits.whole.size() > whole;
      blanks = overflows ? 0 : whole - digits.whole.size();
      hides_zero = !overflows && digits.whole == "0" && writer.first_zero_ == whole &&
                   digits.fraction_size > 0;
      kept = digits.fraction_size;
      if (writer.form_.is_short && !overflows) {
        kept = std::min(kept, std::max(digits.last_not_zero(), writer.last_zero_));
      }
      owes_sign = writer.has_sign_in_front_;
    }

    const Digits& digits;
    char* out = nullptr;
    std::size_t digit = 0;  // the next one of the template
    std::size_t blanks;     // in front of the number's digits
    std::size_t kept;       // digits behind the point
    bool overflows;
    bool hides_zero;  // 0.5 is .5
    bool owes_sign;
    bool began = false;
  };

  std::size_t whole_digits() const { return static_cast<std::size_t>(form_.whole_digits); }
  static char sign_of(const Digits& digits) { return digits.negative ? '-' : '+'; }

  // In front of the first digit.
  void write_sign(State& state) const {
    if (!state.owes_sign) return;
    state.owes_sign = false;
    if (is_anchored_ || state.digits.negative)
      *state.out++ = sign_of(state.digits);
    else
      write_blank(state);
  }
  void write_blank(State& state) const {
    if (!form_.is_short) *state.out++ = ' ';
  }
  void write_digit(State& state, char digit) const {
    write_sign(state);
    *state.out++ = digit;
    state.began = true;
  }

  void write_whole_digit(State& state, std::size_t i) const {
    if (state.overflows) return write_digit(state, '#');
    if (i < state.blanks) return i < first_zero_ ? write_blank(state) : write_digit(state, '0');
    bool is_hidden = state.hides_zero && !(form_.is_short && state.kept == 0);
    if (is_hidden) return write_blank(state);
    write_digit(state, state.digits.whole[i - state.blanks]);
  }

  void write_part(State& state, const plan::NumberTemplate::Part& part) const {
    const Digits& digits = state.digits;
    switch (part.kind) {
      case Kind::nine:
      case Kind::zero: {
        std::size_t i = state.digit++, whole = whole_digits();
        if (i < whole) return write_whole_digit(state, i);
        if (i - whole >= state.kept) return;
        return write_digit(state, state.overflows ? '#' : digits.behind_point(i - whole));
      }
      case Kind::comma:
        if (!state.began) return write_blank(state);
        *state.out++ = ',';
        return;
      case Kind::point:
        if (digits.fraction_size == 0 && !state.overflows) return;
        return write_digit(state, '.');
      case Kind::sign: return;
      case Kind::any_sign: *state.out++ = sign_of(digits); return;
      case Kind::minus:
        if (!digits.negative) return write_blank(state);
        *state.out++ = '-';
        return;
      case Kind::plus:
        if (digits.negative) return write_blank(state);
        *state.out++ = '+';
        return;
      case Kind::text: break;
    }
    state.out = std::copy(part.text.begin(), part.text.end(), state.out);
  }

  plan::NumberTemplate form_;
  std::size_t first_zero_ = 0;  // of digits before the point; behind the last if there is none
  std::size_t last_zero_ = 0;   // of those behind the point, counted from 1; 0 if there is none
  std::size_t size_max_ = 1;
  bool is_anchored_ = false;         // S
  bool is_anchored_behind_ = false;  // S behind the digits
  bool has_sign_in_front_ = false;   // or a blank for it
};

// `digits(room, cell)` gives those of an argument.
template <class Cell, class DigitsOf>
Kernel writing(std::shared_ptr<const NumberWriter> writer, DigitsOf digits) {
  return [=](const Call& call) {
    Room room;
    Cells<Cell> cells(call.arguments[0]);
    for_known_rows(call, [&](std::uint32_t row) {
      char* begin = call.result.texts.reserve(writer->size_max());
      char* end = writer->write(begin, digits(room, cells[row]));
      auto size = static_cast<std::size_t>(end - begin);
      call.result.texts.keep(size);
      call.out().set_text(row, {begin, size});
    });
  };
}

}  // namespace

Kernel write_number_kernel(const plan::BoundExpression& call) {
  if (call.function != "to_char") return {};
  const auto& type = call.arguments[0].type;
  auto form = plan::parse_number_template(std::get<std::string>(call.arguments[1].literal));
  if (!form) return {};
  auto writer = std::make_shared<const NumberWriter>(std::move(*form));
  int digits = writer->fraction_digits();
  auto size = static_cast<std::size_t>(digits);
  if (type == column::Type::double_precision) {
    return writing<double>(
        writer, [=](Room& room, double value) { return digits_of(room, value, digits); });
  }
  if (type == column::Type::bigint) {
    return writing<int64_t>(writer, [=](Room& room, int64_t value) {
      char* end = write_integer(room.data(), value);
      return Digits({room.data(), static_cast<std::size_t>(end - room.data())}, size);
    });
  }
  OfDecimal rounded(type.scale, digits);
  return writing<Int128>(
      writer, [=](Room& room, Int128 units) { return Digits(rounded.write(room, units), size); });
}

}  // namespace leat::expression
