#include "broker/topic_pattern.h"

#include <utility>

#include <re2/re2.h>

namespace leat::broker {
namespace {

/// What one expression may take once it is compiled.
constexpr std::int64_t memory_bytes_max = 1 << 20;

}  // namespace

TopicPattern::TopicPattern(std::unique_ptr<re2::RE2> expression)
    : expression_(std::move(expression)) {}
TopicPattern::TopicPattern(TopicPattern&&) noexcept = default;
TopicPattern& TopicPattern::operator=(TopicPattern&&) noexcept = default;
TopicPattern::~TopicPattern() = default;

Result<TopicPattern> TopicPattern::parse(const std::string& text) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(memory_bytes_max);
  auto expression = std::make_unique<re2::RE2>(text, options);
  if (!expression->ok()) return fail(Errc::invalid_argument, expression->error());
  return TopicPattern(std::move(expression));
}

bool TopicPattern::matches(std::string_view topic) const {
  return re2::RE2::FullMatch(re2::StringPiece(topic.data(), topic.size()), *expression_);
}

}  // namespace leat::broker
