#include "broker/topic_pattern.h"

#include <utility>

#include <fmt/core.h>
#include <re2/re2.h>

namespace leat::broker {
namespace {

/// What one expression may take once it is compiled. It also bounds how long a name takes that is
/// matched: that is the size of the program for each byte at worst.
constexpr std::int64_t memory_bytes_max = 1 << 16;
constexpr std::size_t text_bytes_max = 1024;

}  // namespace

TopicPattern::TopicPattern(std::unique_ptr<re2::RE2> expression)
    : expression_(std::move(expression)) {}
TopicPattern::TopicPattern(TopicPattern&&) noexcept = default;
TopicPattern& TopicPattern::operator=(TopicPattern&&) noexcept = default;
TopicPattern::~TopicPattern() = default;

Result<TopicPattern> TopicPattern::parse(const std::string& text) {
  if (text.size() > text_bytes_max) {
    return fail(Errc::invalid_argument,
                fmt::format("it has {} bytes, {} are the most", text.size(), text_bytes_max));
  }
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
