// A file of the fake file system: what the page cache has and what the disk has, page by page.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace leat::file {

/// Writes change the page cache; a sync carries to the disk what was written before it was issued.
/// `lose_power` leaves what was synced, and of the rest whatever the seed draws. One thread.
class FakeInode {
 public:
  static constexpr std::size_t page_bytes = 4096;
  /// The disk writes a sector whole or not at all.
  static constexpr std::size_t sector_bytes = 512;
  using PageBytes = std::array<std::byte, page_bytes>;
  /// Null is a page of zeros that takes no space.
  using PagePtr = std::shared_ptr<PageBytes>;

  /// What a sync will carry to the disk: drawn up when it is issued.
  struct Snapshot {
    struct Page {
      std::size_t index;
      PagePtr bytes;
      std::uint64_t version;
    };
    std::vector<Page> pages;
    std::uint64_t size;
    std::uint64_t size_version;
  };
  /// Gives what the disk held, by page, before the block became part of this file.
  using StaleSource = std::function<PagePtr(std::size_t index)>;

  explicit FakeInode(Random& random) : random_(random) {}

  std::uint64_t size() const { return size_; }
  std::size_t read(std::uint64_t position, MutableBytes into) const;
  void write(std::uint64_t position, BytesView bytes);
  void truncate(std::uint64_t size);
  /// Space on disk that it takes, and that a write would take more.
  std::uint64_t allocated_bytes() const;
  std::uint64_t bytes_to_allocate(std::uint64_t position, std::uint64_t bytes) const;

  Snapshot snapshot() const;
  void complete_sync(const Snapshot& snapshot);
  /// The disk refused. Pages may stay dirty or be taken for clean, written or not.
  void fail_sync(const Snapshot& snapshot);

  /// Damages the medium, under whatever the page cache and the disk hold. REQUIRES: within size().
  void flip_bit(std::uint64_t position, int bit);
  void lose_power(const StaleSource& stale);
  /// A page's present bytes; null where there is none.
  PagePtr page(std::size_t index) const {
    return index < pages_.size() ? pages_[index].cached : nullptr;
  }
  std::size_t page_count() const { return pages_.size(); }

 private:
  struct Page {
    PagePtr cached;
    PagePtr durable;
    // Of writes; the disk never goes back to an older version than it has.
    std::uint64_t cached_version = 0;
    std::uint64_t durable_version = 0;
  };
  enum class Survival { nothing, everything, a_prefix, some_pages, some_sectors };

  /// The page, its cached bytes owned by nobody else, marked dirty.
  PageBytes& touch(std::size_t index);
  void set_size(std::uint64_t size);
  std::uint64_t draw_size_after_power_loss();
  void settle(std::size_t index, Survival survival, bool within_prefix, bool truncation_lost,
              const StaleSource& stale);
  void drop_beyond(std::uint64_t size);

  Random& random_;
  std::vector<Page> pages_;
  std::set<std::size_t> dirty_;
  std::uint64_t last_version_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t size_version_ = 0;
  std::uint64_t durable_size_ = 0;
  std::uint64_t durable_size_version_ = 0;
  // Sizes it had since the last sync lie between these.
  std::uint64_t least_size_ = 0;
  std::uint64_t largest_size_ = 0;
};

}  // namespace leat::file
