#include "expression/operand.h"

#include <algorithm>
#include <array>

#include "column/chunk.h"

namespace leat::expression {

using column::Physical;

namespace {

#if defined(__has_feature)
#define LEAT_HAS_FEATURE(name) __has_feature(name)
#else
#define LEAT_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || LEAT_HAS_FEATURE(address_sanitizer)
// So that it is seen when a text is looked at that is gone.
constexpr std::size_t spare_max = 0;
#else
constexpr std::size_t spare_max = 8;
#endif

/// Vectors that nobody needs any more, by how their cells are kept.
class SpareVectors {
 public:
  SpareVectors() { of_this_thread = this; }
  ~SpareVectors() { of_this_thread = nullptr; }
  SpareVectors(const SpareVectors&) = delete;
  SpareVectors& operator=(const SpareVectors&) = delete;

  /// Null while there are none, and when the thread ends.
  static SpareVectors* get() {
    static thread_local SpareVectors spare;
    return of_this_thread;
  }
  std::unique_ptr<OwnedVector> take(const column::Type& type) {
    auto& spare = spare_[index(type)];
    if (spare.empty()) return std::make_unique<OwnedVector>(type);
    std::unique_ptr<OwnedVector> owned = std::move(spare.back());
    spare.pop_back();
    owned->vector.become(type);
    return owned;
  }
  void give_back(std::unique_ptr<OwnedVector> owned) {
    auto& spare = spare_[index(owned->vector.type())];
    bool is_small = owned->vector.size() <= column::chunk_rows;
    bool is_list = physical(owned->vector.type()) == Physical::list;
    if (spare.size() == spare_max || !is_small || is_list) return;
    owned->kept.clear();
    owned->texts.clear();
    spare.push_back(std::move(owned));
  }

 private:
  static std::size_t index(const column::Type& type) {
    return static_cast<std::size_t>(physical(type));
  }

  static thread_local SpareVectors* of_this_thread;
  static constexpr std::size_t kinds = static_cast<std::size_t>(Physical::list) + 1;
  std::array<std::vector<std::unique_ptr<OwnedVector>>, kinds> spare_;
};

thread_local SpareVectors* SpareVectors::of_this_thread = nullptr;

}  // namespace

std::shared_ptr<OwnedVector> OwnedVector::make(const column::Type& type, std::size_t rows) {
  auto* spare = SpareVectors::get();
  auto owned = spare != nullptr ? spare->take(type) : std::make_unique<OwnedVector>(type);
  owned->vector.resize(rows);
  return {owned.release(), [](OwnedVector* gone) {
            std::unique_ptr<OwnedVector> last(gone);
            if (auto* spares = SpareVectors::get()) spares->give_back(std::move(last));
          }};
}

Rows without_errors(const Rows& rows, const RowErrors& errors, std::vector<std::uint32_t>& kept) {
  if (errors.empty()) return rows;
  kept.resize(std::max(kept.size(), rows.count));
  std::size_t count = 0;
  rows.each([&](std::uint32_t row) {
    if (!errors.contains(row)) kept[count++] = row;
  });
  return count == rows.count ? rows : Rows{count, kept.data()};
}

void OwnedVector::keep(const Operand& operand) {
  auto held = physical(operand.vector->type());
  if (held == Physical::text || held == Physical::list) kept.push_back(operand.vector);
}

void OwnedVector::take(const Operand& from, const Rows& rows) {
  keep(from);
  auto copy = [&](auto to, auto cells) {
    if (from.constant) {
      rows.each([&](std::uint32_t row) { to[row] = cells[0]; });
    } else {
      rows.each([&](std::uint32_t row) { to[row] = cells[row]; });
    }
  };
  const column::Vector& source = *from.vector;
  auto held = physical(source.type());
  if (source.has_nulls() && held == Physical::text) {
    rows.each([&](std::uint32_t row) {
      if (from.is_null(row))
        vector.set_null(row);
      else
        vector.set_text(row, source.text(from.at(row)));
    });
  } else if (source.has_nulls() || held == Physical::interval || held == Physical::list) {
    rows.each([&](std::uint32_t row) { vector.set_from(row, source, from.at(row)); });
  } else if (held == Physical::integer) {
    copy(vector.integers(), source.integers());
  } else if (held == Physical::real) {
    copy(vector.reals(), source.reals());
  } else if (held == Physical::decimal) {
    copy(vector.decimals(), source.decimals());
  } else {
    copy(vector.texts(), source.texts());
  }
}

std::shared_ptr<const column::Vector> OwnedVector::release(std::shared_ptr<OwnedVector> owned) {
  const column::Vector* vector = &owned->vector;
  return {std::move(owned), vector};
}

}  // namespace leat::expression
