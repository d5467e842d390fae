#include "log/layout.h"

#include <charconv>

#include <fmt/core.h>

namespace leat::log {

std::string Layout::segment(const TopicPartition& id, Offset base, std::uint32_t version) const {
  if (version == 0) return fmt::format("{}/{:020}.log", partition(id), base.value());
  return fmt::format("{}/{:020}.{}.log", partition(id), base.value(), version);
}

std::string Layout::quarantine(const TopicPartition& id, Offset base, std::uint64_t position,
                               std::int64_t now_ms) const {
  return fmt::format("{}/{}-{}-{:020}-{}-{}.bin", quarantine(), id.topic_id.to_hex(),
                     id.partition.value(), base.value(), position, now_ms);
}

std::string Layout::relative(const std::string& path) const {
  if (path.size() > directory_.size() && path.starts_with(directory_)) {
    return path.substr(directory_.size() + 1);
  }
  return path;
}

std::string with_suffix(const std::string& segment_path, std::string_view suffix) {
  constexpr std::size_t log_suffix = 4;  // ".log"
  std::string path = segment_path.substr(0, segment_path.size() - log_suffix);
  path += suffix;
  return path;
}

std::optional<SegmentName> parse_segment_name(std::string_view name, std::string_view suffix) {
  constexpr std::size_t digits = 20;
  if (name.size() < digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::int64_t base = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + digits, base);
  if (error != std::errc{} || end != name.data() + digits || base < 0) return std::nullopt;
  std::string_view rest = name.substr(digits);
  if (rest.empty()) return SegmentName{Offset{base}, 0};
  std::uint32_t version = 0;
  auto [last, bad] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), version);
  bool is_whole = bad == std::errc{} && last == rest.data() + rest.size();
  if (rest[0] != '.' || !is_whole || version == 0 || rest[1] == '0') return std::nullopt;
  return SegmentName{Offset{base}, version};
}

std::optional<PartitionId> parse_partition_name(std::string_view name) {
  std::int32_t value = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc{} || end != name.data() + name.size() || value < 0) return std::nullopt;
  return PartitionId{value};
}

}  // namespace leat::log
