#include "file/fake_inode.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::file {
namespace {

constexpr std::size_t page_bytes = FakeInode::page_bytes;
constexpr std::size_t sectors = page_bytes / FakeInode::sector_bytes;

/// Calls `visit(page, offset in it, bytes of it)` for each page of [position, position + bytes).
template <class Visit>
void for_each_page(std::uint64_t position, std::uint64_t bytes, Visit visit) {
  std::uint64_t end = position + bytes;
  while (position < end) {
    std::size_t offset = position % page_bytes;
    std::size_t length = std::min<std::uint64_t>(page_bytes - offset, end - position);
    visit(static_cast<std::size_t>(position / page_bytes), offset, length);
    position += length;
  }
}

}  // namespace

std::size_t FakeInode::read(std::uint64_t position, MutableBytes into) const {
  if (position >= size_) return 0;
  std::size_t length = std::min<std::uint64_t>(into.size(), size_ - position);
  std::byte* out = into.data();
  for_each_page(position, length, [&](std::size_t index, std::size_t offset, std::size_t n) {
    PagePtr bytes = page(index);
    if (bytes) {
      std::copy_n(bytes->begin() + offset, n, out);
    } else {
      std::fill_n(out, n, std::byte{0});
    }
    out += n;
  });
  return length;
}

void FakeInode::write(std::uint64_t position, BytesView bytes) {
  for_each_page(position, bytes.size(), [&](std::size_t index, std::size_t offset, std::size_t n) {
    std::copy_n(bytes.begin(), n, touch(index).begin() + offset);
    bytes = bytes.subspan(n);
    set_size(std::max(size_, static_cast<std::uint64_t>(index) * page_bytes + offset + n));
  });
}

FakeInode::PageBytes& FakeInode::touch(std::size_t index) {
  if (index >= pages_.size()) pages_.resize(index + 1);
  Page& page = pages_[index];
  bool was_dirty = !dirty_.insert(index).second;
  // The kernel writes dirty pages back when it likes, so the disk may get any version of a page.
  if (was_dirty && page.cached && random_.one_in(8)) {
    page.durable = page.cached;
    page.durable_version = page.cached_version;
  }
  if (!page.cached) {
    page.cached = std::make_shared<PageBytes>();
  } else if (page.cached.use_count() > 1) {
    page.cached = std::make_shared<PageBytes>(*page.cached);
  }
  page.cached_version = ++last_version_;
  return *page.cached;
}

void FakeInode::set_size(std::uint64_t size) {
  if (size == size_) return;
  size_ = size;
  size_version_ = ++last_version_;
  least_size_ = std::min(least_size_, size);
  largest_size_ = std::max(largest_size_, size);
}

void FakeInode::truncate(std::uint64_t size) {
  if (size < size_) {
    std::size_t whole = (size + page_bytes - 1) / page_bytes;
    if (size % page_bytes != 0 && page(size / page_bytes)) {
      PageBytes& last = touch(size / page_bytes);
      std::fill(last.begin() + size % page_bytes, last.end(), std::byte{0});
    }
    for (std::size_t index = whole; index < pages_.size(); ++index) {
      if (!pages_[index].cached) continue;
      pages_[index].cached = nullptr;
      pages_[index].cached_version = ++last_version_;
      dirty_.insert(index);
    }
  }
  set_size(size);
}

std::uint64_t FakeInode::allocated_bytes() const {
  return page_bytes * static_cast<std::uint64_t>(std::ranges::count_if(
                          pages_, [](const Page& page) { return page.cached != nullptr; }));
}

std::uint64_t FakeInode::bytes_to_allocate(std::uint64_t position, std::uint64_t bytes) const {
  std::uint64_t needed = 0;
  for_each_page(position, bytes, [&](std::size_t index, std::size_t, std::size_t) {
    if (!page(index)) needed += page_bytes;
  });
  return needed;
}

FakeInode::Snapshot FakeInode::snapshot() const {
  Snapshot snapshot{{}, size_, size_version_};
  for (std::size_t index : dirty_) {
    snapshot.pages.push_back({index, pages_[index].cached, pages_[index].cached_version});
  }
  return snapshot;
}

void FakeInode::complete_sync(const Snapshot& snapshot) {
  for (const auto& [index, bytes, version] : snapshot.pages) {
    Page& page = pages_[index];
    if (version > page.durable_version) {
      page.durable = bytes;
      page.durable_version = version;
    }
    if (page.cached_version == version) dirty_.erase(index);
  }
  if (snapshot.size_version >= durable_size_version_) {
    durable_size_ = snapshot.size;
    durable_size_version_ = snapshot.size_version;
    least_size_ = std::min(size_, durable_size_);
    largest_size_ = std::max(size_, durable_size_);
  }
}

void FakeInode::fail_sync(const Snapshot& snapshot) {
  for (const auto& [index, bytes, version] : snapshot.pages) {
    Page& page = pages_[index];
    if (page.cached_version != version || random_.one_in(3)) continue;
    dirty_.erase(index);
    if (version <= page.durable_version || random_.one_in(2)) continue;
    page.durable = bytes;
    page.durable_version = version;
  }
}

void FakeInode::flip_bit(std::uint64_t position, int bit) {
  ASSERT(position < size_ && bit >= 0 && bit < 8);
  std::size_t index = position / page_bytes;
  if (index >= pages_.size()) pages_.resize(index + 1);
  auto flipped = [&](const PagePtr& bytes) {
    auto copy = bytes ? std::make_shared<PageBytes>(*bytes) : std::make_shared<PageBytes>();
    (*copy)[position % page_bytes] ^= static_cast<std::byte>(1U << bit);
    return copy;
  };
  Page& page = pages_[index];
  bool same = page.cached == page.durable;
  page.cached = flipped(page.cached);
  page.durable = same ? page.cached : flipped(page.durable);
}

std::uint64_t FakeInode::draw_size_after_power_loss() {
  switch (random_.below(3)) {
    case 0: return durable_size_;
    case 1: return size_;
    default:
      return static_cast<std::uint64_t>(random_.between(static_cast<std::int64_t>(least_size_),
                                                        static_cast<std::int64_t>(largest_size_)));
  }
}

void FakeInode::lose_power(const StaleSource& stale) {
  std::uint64_t final_size = draw_size_after_power_loss();
  auto survival = static_cast<Survival>(random_.below(5));
  std::size_t prefix = random_.below(dirty_.size() + 1);
  std::size_t nth = 0;
  // A truncation that did not reach the disk left the bytes it was to cut.
  bool truncation_lost = final_size == durable_size_;
  for (std::size_t index : dirty_) {
    settle(index, survival, nth++ < prefix, truncation_lost, stale);
  }
  for (Page& page : pages_) {
    page.cached = page.durable;
    page.cached_version = page.durable_version;
  }
  dirty_.clear();
  drop_beyond(final_size);
  size_ = durable_size_ = least_size_ = largest_size_ = final_size;
  size_version_ = durable_size_version_ = ++last_version_;
}

void FakeInode::settle(std::size_t index, Survival survival, bool within_prefix,
                       bool truncation_lost, const StaleSource& stale) {
  Page& page = pages_[index];
  if (!page.cached) {
    if (!truncation_lost && random_.one_in(2)) page.durable = nullptr;
    return;
  }
  bool new_block = !page.durable && index * page_bytes >= durable_size_;
  PagePtr old = new_block && random_.one_in(2) ? stale(index) : page.durable;
  if (survival == Survival::everything) {
    page.durable = page.cached;
  } else if (survival == Survival::nothing) {
    page.durable = old;
  } else if (survival == Survival::a_prefix) {
    page.durable = within_prefix ? page.cached : old;
  } else if (survival == Survival::some_pages) {
    page.durable = random_.one_in(2) ? page.cached : old;
  } else {
    auto torn = old ? std::make_shared<PageBytes>(*old) : std::make_shared<PageBytes>();
    for (std::size_t sector = 0; sector < sectors; ++sector) {
      if (random_.one_in(2)) continue;
      auto from = page.cached->begin() + sector * sector_bytes;
      std::copy_n(from, sector_bytes, torn->begin() + sector * sector_bytes);
    }
    page.durable = torn;
  }
}

void FakeInode::drop_beyond(std::uint64_t size) {
  std::size_t whole = (size + page_bytes - 1) / page_bytes;
  if (whole < pages_.size()) pages_.resize(whole);
  PagePtr last = size % page_bytes != 0 ? page(size / page_bytes) : nullptr;
  if (!last) return;
  auto cut = std::make_shared<PageBytes>(*last);
  std::fill(cut->begin() + size % page_bytes, cut->end(), std::byte{0});
  pages_.back().cached = pages_.back().durable = cut;
}

}  // namespace leat::file
