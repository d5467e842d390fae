// The functions of expressions, as PostgreSQL has them. With NULL they give NULL, where nothing
// else is said. Begin with stream.h.
#pragma once

#include <string_view>
#include <vector>

#include "leat/expression.h"

namespace leat::flow {

// ---- Any type -----------------------------------------------------------------------------------

Expression is_null(Expression value);
/// Never NULL: two NULLs are not distinct.
Expression is_distinct_from(Expression a, Expression b);
/// low <= value && value <= high.
Expression between(Expression value, Expression low, Expression high);
Expression in(Expression value, std::vector<Expression> list);
/// NULLs do not take part.
Expression greatest(std::vector<Expression> values);
Expression least(std::vector<Expression> values);
/// The first that is not NULL.
Expression coalesce(std::vector<Expression> values);
/// NULL where they are equal, else `value`.
Expression nullif(Expression value, Expression equal_to);

/// `when(condition, result).when(...).otherwise(result)`: the result of the first condition that is
/// true. Without otherwise() NULL where none is.
class Case {
 public:
  Case when(Expression condition, Expression result) const;
  Expression otherwise(Expression result) const;
  operator Expression() const;

 private:
  friend Case when(Expression condition, Expression result);
  std::vector<Expression> arguments_;
};
Case when(Expression condition, Expression result);

// ---- Numbers ------------------------------------------------------------------------------------

Expression abs(Expression number);
Expression ceil(Expression number);
Expression floor(Expression number);
Expression round(Expression number);
/// With so many digits behind the point, from -38 to 38; below 0 with zeros before it.
Expression round(Expression number, int digits);
/// The same without rounding.
Expression trunc(Expression number);
Expression trunc(Expression number, int digits);
/// -1, 0 or 1.
Expression sign(Expression number);
Expression sqrt(Expression number);
Expression power(Expression base, Expression exponent);
Expression exp(Expression number);
/// The natural logarithm.
Expression ln(Expression number);
/// The logarithm of base 10, or of another base.
Expression log(Expression number);
Expression log(Expression base, Expression number);
/// Angles are in radians.
Expression sin(Expression angle);
Expression cos(Expression angle);
Expression tan(Expression angle);
Expression asin(Expression number);
Expression acos(Expression number);
Expression atan(Expression number);
Expression atan2(Expression y, Expression x);
Expression degrees(Expression radians);
Expression radians(Expression degrees);
Expression pi();
/// Of `count` buckets of the same width from `low` to before `high` the one with the number, from
/// 1; 0 before and count + 1 behind them.
Expression width_bucket(Expression number, Expression low, Expression high, Expression count);

// ---- Texts: characters count from 1 -------------------------------------------------------------

/// Of the letters A to Z alone: others stay as they are.
Expression lower(Expression text);
Expression upper(Expression text);
/// Characters of a text, bytes of bytes.
Expression length(Expression text);
Expression substring(Expression text, Expression from);
Expression substring(Expression text, Expression from, Expression count);
/// Where `part` begins; 0 if nowhere.
Expression position(Expression text, Expression part);
Expression replace(Expression text, Expression part, Expression by);
/// Without blanks, or what characters are named, at both ends.
Expression trim(Expression text);
Expression trim(Expression text, Expression characters);
Expression ltrim(Expression text);
Expression ltrim(Expression text, Expression characters);
Expression rtrim(Expression text);
Expression rtrim(Expression text, Expression characters);
Expression split_part(Expression text, Expression separator, Expression number);
/// a || b of SQL.
Expression append(Expression a, Expression b);
/// The same of several, NULLs left out.
Expression concat(std::vector<Expression> texts);
Expression left(Expression text, Expression count);
Expression right(Expression text, Expression count);
Expression lpad(Expression text, Expression length);
Expression lpad(Expression text, Expression length, Expression fill);
Expression rpad(Expression text, Expression length);
Expression rpad(Expression text, Expression length, Expression fill);
Expression repeat(Expression text, Expression count);
Expression reverse(Expression text);
/// Each character of `from` becomes that of `to` in the same place, or nothing if there is none.
Expression translate(Expression text, Expression from, Expression to);
/// The first letter of each word in capitals, the others in small letters: of A to Z alone.
Expression initcap(Expression text);
/// All of them with the separator between, NULLs left out.
Expression concat_ws(Expression separator, std::vector<Expression> texts);
/// The code point of the first character, and back.
Expression ascii(Expression text);
Expression chr(Expression code);
/// Of a text or bytes.
Expression octet_length(Expression text);
/// 32 hexadecimal digits, of a text or bytes.
Expression md5(Expression text);
/// The bytes of a digest, of a text or bytes: encode(sha256(text), "hex").
Expression sha224(Expression text);
Expression sha256(Expression text);
Expression sha384(Expression text);
Expression sha512(Expression text);
/// Bytes as "hex" or "base64", and back.
Expression encode(Expression bytes, std::string_view encoding);
Expression decode(Expression text, std::string_view encoding);
/// Bytes that are UTF-8 as a text; others are an error. And back.
Expression convert_from(Expression bytes);
Expression convert_to(Expression text);
Expression starts_with(Expression text, Expression prefix);
/// % stands for any characters, _ for one.
Expression like(Expression text, Expression pattern);
/// The same without regard to case, of the letters A to Z alone.
Expression ilike(Expression text, Expression pattern);
/// Patterns are RE2's.
Expression regexp_like(Expression text, std::string_view pattern);
/// The first match, or what its first group matches; NULL if there is none.
Expression regexp_extract(Expression text, std::string_view pattern);
/// What its groups match, or the first match where there are none; NULL if there is no match.
Expression regexp_match(Expression text, std::string_view pattern);
/// `flags`: g for all matches, i for any case.
Expression regexp_replace(Expression text, std::string_view pattern, Expression by,
                          std::string_view flags = {});
/// Of a text that is JSON what is at `path`, as $.user.tags[0].
Expression json_value(Expression text, std::string_view path);

// ---- Times: UTC ---------------------------------------------------------------------------------

/// Cuts to the beginning of a "minute", "hour", "day", "week", "month" and so on.
Expression date_trunc(std::string_view span, Expression time);
/// Cuts to the beginning of a bin: all are as long as `stride`, which has no months, and one begins
/// at `origin`.
Expression date_bin(Expression stride, Expression time, Expression origin);
/// "year", "month", "day", "hour", "dow", "epoch" and so on, of a time or an interval.
Expression extract(std::string_view unit, Expression time);
/// The same as a double.
Expression date_part(std::string_view unit, Expression time);
/// By a template such as "YYYY-MM-DD HH24:MI"; a number by one such as "999,990.00".
Expression to_char(Expression value, std::string_view pattern);
/// Of a text, by a template such as "999,990.00": a decimal of as many digits.
Expression to_number(Expression text, std::string_view pattern);
/// Of seconds since 1970.
Expression to_timestamp(Expression seconds);
/// Of a text, by a template such as "YYYY-MM-DD HH24:MI".
Expression to_timestamp(Expression text, std::string_view pattern);
Expression to_date(Expression text, std::string_view pattern);
Expression make_date(Expression year, Expression month, Expression day);
Expression make_timestamp(Expression year, Expression month, Expression day, Expression hour,
                          Expression minute, Expression seconds);
Expression make_interval(Expression years, Expression months = 0, Expression weeks = 0,
                         Expression days = 0, Expression hours = 0, Expression minutes = 0,
                         Expression seconds = 0.0);
/// What is between two times in years, months, days and hours of the calendar.
Expression age(Expression time, Expression since);
/// An interval with 24 hours as a day; with 30 days as a month; with both.
Expression justify_hours(Expression interval);
Expression justify_days(Expression interval);
Expression justify_interval(Expression interval);
/// Processing time.
Expression now();

// ---- Arrays -------------------------------------------------------------------------------------

/// Of items of one type, of which some may be NULL.
Expression array(std::vector<Expression> items);
/// The parts of a text between separators, and back, NULLs left out.
Expression string_to_array(Expression text, Expression separator);
Expression array_to_string(Expression texts, Expression separator);
/// Without what is not distinct from `item`.
Expression array_remove(Expression array, Expression item);
Expression cardinality(Expression array);
/// The item of that number, from 1; NULL beyond.
Expression element(Expression array, Expression number);

}  // namespace leat::flow
