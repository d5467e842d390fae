// The texts of Nexmark's events.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace leat::generate {

/// Texts that are drawn from again and again. Views of them are good as long as this lives.
class NexmarkTexts {
 public:
  struct Channel {
    std::string name;
    std::string url;
  };

  explicit NexmarkTexts(std::uint64_t seed);
  NexmarkTexts(const NexmarkTexts&) = delete;
  NexmarkTexts& operator=(const NexmarkTexts&) = delete;

  // Each chooses by 32 random bits.
  const Channel& hot_channel(std::uint32_t bits) const;
  const Channel& channel(std::uint32_t bits) const;
  std::string_view name(std::uint32_t bits) const;
  std::string_view email_address(std::uint32_t bits) const;
  std::string_view credit_card(std::uint32_t bits) const;
  static std::string_view city(std::uint32_t bits);
  static std::string_view state(std::uint32_t bits);
  /// So many letters. REQUIRES: bytes <= bytes_max.
  std::string_view letters(std::size_t bytes, std::uint32_t bits) const;
  /// 3 to `bytes` - 1 letters and blanks, save blanks at its ends. REQUIRES: 3 < bytes <=
  /// bytes_max.
  std::string_view words(std::size_t bytes, std::uint64_t bits) const;

  static constexpr std::size_t bytes_max = 64 << 10;

 private:
  void make_channels(Random& random);

  std::string letters_;
  std::string words_;
  std::vector<std::string> names_;
  std::vector<std::string> email_addresses_;
  std::vector<std::string> credit_cards_;
  std::array<Channel, 4> hot_channels_;
  std::vector<Channel> channels_;
};

}  // namespace leat::generate
