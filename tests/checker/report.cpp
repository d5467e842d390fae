#include "checker/report.h"

#include <fmt/core.h>

namespace leat::checker {

std::string_view name(Rule rule) {
  switch (rule) {
    case Rule::two_values: return "L1 two-values";
    case Rule::lost: return "L2 lost";
    case Rule::failed_visible: return "L3 failed-visible";
    case Rule::aborted_visible: return "L3 aborted-visible";
    case Rule::doubled: return "L4 doubled";
    case Rule::reordered: return "L5 reordered";
    case Rule::out_of_order: return "L6 out-of-order";
    case Rule::watermark_back: return "L7 watermark-back";
    case Rule::torn: return "L8 torn";
    case Rule::torn_offsets: return "L8 torn-offsets";
    case Rule::hanging: return "hanging";
    case Rule::invented: return "invented";
    case Rule::skipped: return "skipped";
    case Rule::read_back: return "read-back";
    case Rule::read_undecided: return "read-undecided";
    case Rule::commit_back: return "commit-back";
    case Rule::commit_lost: return "commit-lost";
    case Rule::processed_twice: return "processed-twice";
    case Rule::processed_not: return "processed-not";
    case Rule::shared: return "shared";
    case Rule::repeated: return "repeated";
    case Rule::unprocessed: return "unprocessed";
  }
  return "unknown";
}

std::size_t Report::count() const {
  std::size_t sum = 0;
  for (const auto& [rule, found] : found_) sum += found.count;
  return sum;
}

std::string Report::text() const {
  std::string text;
  for (const auto& [rule, found] : found_) {
    for (const std::string& sentence : found.sentences) {
      text += fmt::format("{}: {}\n", name(rule), sentence);
    }
    if (found.count > found.sentences.size()) {
      text += fmt::format("{}: and {} more\n", name(rule), found.count - found.sentences.size());
    }
  }
  return text;
}

}  // namespace leat::checker
