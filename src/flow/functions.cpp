#include "leat/functions.h"

#include "leat/aggregates.h"

namespace leat::flow {

Expression is_null(Expression value) {
  return call("is_null", {value});
}
Expression is_distinct_from(Expression a, Expression b) {
  return call("is_distinct_from", {a, b});
}
Expression between(Expression value, Expression low, Expression high) {
  return call("between", {value, low, high});
}
Expression in(Expression value, std::vector<Expression> list) {
  list.insert(list.begin(), std::move(value));
  return call("in", std::move(list));
}
Expression greatest(std::vector<Expression> values) {
  return call("greatest", std::move(values));
}
Expression least(std::vector<Expression> values) {
  return call("least", std::move(values));
}
Expression coalesce(std::vector<Expression> values) {
  return call("coalesce", std::move(values));
}
Expression nullif(Expression value, Expression equal_to) {
  return call("nullif", {value, equal_to});
}
Expression abs(Expression number) {
  return call("abs", {number});
}
Expression ceil(Expression number) {
  return call("ceil", {number});
}
Expression floor(Expression number) {
  return call("floor", {number});
}
Expression round(Expression number) {
  return call("round", {number});
}
Expression round(Expression number, int digits) {
  return call("round", {number, digits});
}
Expression trunc(Expression number) {
  return call("trunc", {number});
}
Expression trunc(Expression number, int digits) {
  return call("trunc", {number, digits});
}
Expression sign(Expression number) {
  return call("sign", {number});
}
Expression sqrt(Expression number) {
  return call("sqrt", {number});
}
Expression power(Expression base, Expression exponent) {
  return call("power", {base, exponent});
}
Expression exp(Expression number) {
  return call("exp", {number});
}
Expression ln(Expression number) {
  return call("ln", {number});
}
Expression log(Expression number) {
  return call("log", {number});
}
Expression log(Expression base, Expression number) {
  return call("log", {base, number});
}
Expression sin(Expression angle) {
  return call("sin", {angle});
}
Expression cos(Expression angle) {
  return call("cos", {angle});
}
Expression tan(Expression angle) {
  return call("tan", {angle});
}
Expression asin(Expression number) {
  return call("asin", {number});
}
Expression acos(Expression number) {
  return call("acos", {number});
}
Expression atan(Expression number) {
  return call("atan", {number});
}
Expression atan2(Expression y, Expression x) {
  return call("atan2", {y, x});
}
Expression degrees(Expression radians) {
  return call("degrees", {radians});
}
Expression radians(Expression degrees) {
  return call("radians", {degrees});
}
Expression pi() {
  return call("pi", {});
}
Expression width_bucket(Expression number, Expression low, Expression high, Expression count) {
  return call("width_bucket", {number, low, high, count});
}
Expression lower(Expression text) {
  return call("lower", {text});
}
Expression upper(Expression text) {
  return call("upper", {text});
}
Expression length(Expression text) {
  return call("length", {text});
}
Expression substring(Expression text, Expression from) {
  return call("substring", {text, from});
}
Expression substring(Expression text, Expression from, Expression count) {
  return call("substring", {text, from, count});
}
Expression position(Expression text, Expression part) {
  return call("position", {part, text});
}
Expression replace(Expression text, Expression part, Expression by) {
  return call("replace", {text, part, by});
}
Expression trim(Expression text) {
  return call("trim", {text});
}
Expression trim(Expression text, Expression characters) {
  return call("trim", {text, characters});
}
Expression ltrim(Expression text) {
  return call("ltrim", {text});
}
Expression ltrim(Expression text, Expression characters) {
  return call("ltrim", {text, characters});
}
Expression rtrim(Expression text) {
  return call("rtrim", {text});
}
Expression rtrim(Expression text, Expression characters) {
  return call("rtrim", {text, characters});
}
Expression split_part(Expression text, Expression separator, Expression number) {
  return call("split_part", {text, separator, number});
}
Expression append(Expression a, Expression b) {
  return call("||", {a, b});
}
Expression concat(std::vector<Expression> texts) {
  return call("concat", std::move(texts));
}
Expression left(Expression text, Expression count) {
  return call("left", {text, count});
}
Expression right(Expression text, Expression count) {
  return call("right", {text, count});
}
Expression lpad(Expression text, Expression length) {
  return call("lpad", {text, length});
}
Expression lpad(Expression text, Expression length, Expression fill) {
  return call("lpad", {text, length, fill});
}
Expression rpad(Expression text, Expression length) {
  return call("rpad", {text, length});
}
Expression rpad(Expression text, Expression length, Expression fill) {
  return call("rpad", {text, length, fill});
}
Expression repeat(Expression text, Expression count) {
  return call("repeat", {text, count});
}
Expression reverse(Expression text) {
  return call("reverse", {text});
}
Expression translate(Expression text, Expression from, Expression to) {
  return call("translate", {text, from, to});
}
Expression initcap(Expression text) {
  return call("initcap", {text});
}
Expression concat_ws(Expression separator, std::vector<Expression> texts) {
  texts.insert(texts.begin(), std::move(separator));
  return call("concat_ws", std::move(texts));
}
Expression ascii(Expression text) {
  return call("ascii", {text});
}
Expression chr(Expression code) {
  return call("chr", {code});
}
Expression octet_length(Expression text) {
  return call("octet_length", {text});
}
Expression md5(Expression text) {
  return call("md5", {text});
}
Expression sha224(Expression text) {
  return call("sha224", {text});
}
Expression sha256(Expression text) {
  return call("sha256", {text});
}
Expression sha384(Expression text) {
  return call("sha384", {text});
}
Expression sha512(Expression text) {
  return call("sha512", {text});
}
Expression encode(Expression bytes, std::string_view encoding) {
  return call("encode", {bytes, encoding});
}
Expression decode(Expression text, std::string_view encoding) {
  return call("decode", {text, encoding});
}
Expression convert_from(Expression bytes) {
  return call("convert_from", {bytes, "UTF8"});
}
Expression convert_to(Expression text) {
  return call("convert_to", {text, "UTF8"});
}
Expression starts_with(Expression text, Expression prefix) {
  return call("starts_with", {text, prefix});
}
Expression like(Expression text, Expression pattern) {
  return call("like", {text, pattern});
}
Expression ilike(Expression text, Expression pattern) {
  return call("ilike", {text, pattern});
}
Expression regexp_like(Expression text, std::string_view pattern) {
  return call("regexp_like", {text, pattern});
}
Expression regexp_extract(Expression text, std::string_view pattern) {
  return call("regexp_extract", {text, pattern});
}
Expression regexp_match(Expression text, std::string_view pattern) {
  return call("regexp_match", {text, pattern});
}
Expression regexp_replace(Expression text, std::string_view pattern, Expression by,
                          std::string_view flags) {
  std::vector<Expression> arguments{text, pattern, by};
  if (!flags.empty()) arguments.push_back(flags);
  return call("regexp_replace", std::move(arguments));
}
Expression json_value(Expression text, std::string_view path) {
  return call("json_value", {text, path});
}
Expression date_trunc(std::string_view span, Expression time) {
  return call("date_trunc", {span, time});
}
Expression date_bin(Expression stride, Expression time, Expression origin) {
  return call("date_bin", {stride, time, origin});
}
Expression extract(std::string_view unit, Expression time) {
  return call("extract", {unit, time});
}
Expression date_part(std::string_view unit, Expression time) {
  return call("date_part", {unit, time});
}
Expression to_char(Expression value, std::string_view pattern) {
  return call("to_char", {value, pattern});
}
Expression to_number(Expression text, std::string_view pattern) {
  return call("to_number", {text, pattern});
}
Expression to_timestamp(Expression seconds) {
  return call("to_timestamp", {seconds});
}
Expression to_timestamp(Expression text, std::string_view pattern) {
  return call("to_timestamp", {text, pattern});
}
Expression to_date(Expression text, std::string_view pattern) {
  return call("to_date", {text, pattern});
}
Expression make_date(Expression year, Expression month, Expression day) {
  return call("make_date", {year, month, day});
}
Expression make_timestamp(Expression year, Expression month, Expression day, Expression hour,
                          Expression minute, Expression seconds) {
  return call("make_timestamp", {year, month, day, hour, minute, seconds});
}
Expression make_interval(Expression years, Expression months, Expression weeks, Expression days,
                         Expression hours, Expression minutes, Expression seconds) {
  return call("make_interval", {years, months, weeks, days, hours, minutes, seconds});
}
Expression age(Expression time, Expression since) {
  return call("age", {time, since});
}
Expression justify_hours(Expression interval) {
  return call("justify_hours", {interval});
}
Expression justify_days(Expression interval) {
  return call("justify_days", {interval});
}
Expression justify_interval(Expression interval) {
  return call("justify_interval", {interval});
}
Expression now() {
  return call("now", {});
}
Expression array(std::vector<Expression> items) {
  return call("array", std::move(items));
}
Expression string_to_array(Expression text, Expression separator) {
  return call("string_to_array", {text, separator});
}
Expression array_to_string(Expression texts, Expression separator) {
  return call("array_to_string", {texts, separator});
}
Expression array_remove(Expression array, Expression item) {
  return call("array_remove", {array, item});
}
Expression cardinality(Expression array) {
  return call("cardinality", {array});
}
Expression element(Expression array, Expression number) {
  return call("element", {array, number});
}

Case when(Expression condition, Expression result) {
  return Case().when(std::move(condition), std::move(result));
}
Case Case::when(Expression condition, Expression result) const {
  Case longer(*this);
  longer.arguments_.push_back(std::move(condition));
  longer.arguments_.push_back(std::move(result));
  return longer;
}
Expression Case::otherwise(Expression result) const {
  std::vector<Expression> arguments = arguments_;
  arguments.push_back(std::move(result));
  return call("case", std::move(arguments));
}
Case::operator Expression() const {
  return call("case", arguments_);
}

// ---- Aggregates ---------------------------------------------------------------------------------

namespace {

Aggregate make(const char* function, Expression argument) {
  return {.function = function, .argument = std::move(argument), .name = function};
}

}  // namespace

Aggregate count() {
  return {.function = "count", .name = "count"};
}
Aggregate count(Expression value) {
  return make("count", std::move(value));
}
Aggregate count_distinct(Expression value) {
  return make("count_distinct", std::move(value));
}
Aggregate approx_count_distinct(Expression value) {
  return make("approx_count_distinct", std::move(value));
}
Aggregate sum(Expression number) {
  return make("sum", std::move(number));
}
Aggregate min(Expression value) {
  return make("min", std::move(value));
}
Aggregate max(Expression value) {
  return make("max", std::move(value));
}
Aggregate avg(Expression number) {
  return make("avg", std::move(number));
}
Aggregate min_by(Expression value, Expression order_by) {
  Aggregate made = make("min_by", std::move(value));
  made.order_by = std::move(order_by);
  return made;
}
Aggregate max_by(Expression value, Expression order_by) {
  Aggregate made = make("max_by", std::move(value));
  made.order_by = std::move(order_by);
  return made;
}
Aggregate bool_and(Expression condition) {
  return make("bool_and", std::move(condition));
}
Aggregate bool_or(Expression condition) {
  return make("bool_or", std::move(condition));
}
Aggregate var_pop(Expression number) {
  return make("var_pop", std::move(number));
}
Aggregate var_samp(Expression number) {
  return make("var_samp", std::move(number));
}
Aggregate stddev_pop(Expression number) {
  return make("stddev_pop", std::move(number));
}
Aggregate stddev_samp(Expression number) {
  return make("stddev_samp", std::move(number));
}
Aggregate first(Expression value) {
  return make("first", std::move(value));
}
Aggregate last(Expression value) {
  return make("last", std::move(value));
}
Aggregate array_agg(Expression value) {
  return make("array_agg", std::move(value));
}
Aggregate percentile(Expression number, double fraction) {
  Aggregate made = make("percentile", std::move(number));
  made.fraction = fraction;
  return made;
}
Aggregate top_n(Expression value, std::int64_t limit, Expression order_by, Direction direction) {
  Aggregate made = make("top_n", std::move(value));
  made.limit = limit;
  made.order_by = std::move(order_by);
  made.descending = direction == Direction::descending;
  return made;
}
Aggregate string_agg(Expression text, std::string separator) {
  Aggregate made = make("string_agg", std::move(text));
  made.separator = std::move(separator);
  return made;
}

}  // namespace leat::flow
