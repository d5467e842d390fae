#include "tools/metrics_text.h"

#include <charconv>

namespace leat::tools {

namespace {

/// The line of the first sample called `name`; empty if there is none.
std::string_view find_sample(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(name) || line.size() == name.size()) continue;
    char next = line[name.size()];
    if (next == ' ' || next == '{') return line;
  }
  return {};
}

}  // namespace

std::optional<double> find_metric(std::string_view text, std::string_view name) {
  std::string_view line = find_sample(text, name);
  std::size_t blank = line.rfind(' ');
  if (blank == line.npos) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(line.data() + blank + 1, line.data() + line.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::string> find_label(std::string_view text, std::string_view name,
                                      std::string_view label) {
  std::string_view line = find_sample(text, name);
  std::string begin = std::string(label) + "=\"";
  std::size_t at = line.find(begin);
  if (at == line.npos) return std::nullopt;
  line.remove_prefix(at + begin.size());
  return std::string(line.substr(0, line.find('"')));
}

}  // namespace leat::tools
