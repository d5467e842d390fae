#include "operators/over_at_once.h"

#include <span>

#include "operators/known_rows.h"

namespace leat::operators {

//   state := section "over at once" known            as known_rows.h has it
class OverAtOnce::State : public OperatorState {
 public:
  explicit State(const OverParts& parts) : parts_(parts), known_(parts, true) {}

  Result<void> judge(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                     Context& context) {
    std::vector<RowId> ids;
    known_.store(chunk, rows, ids);
    std::vector<KnownRows::Number> numbers = known_.keys_of(ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      known_.prefetch(numbers, i);
      std::size_t at = known_.insert(numbers[i], ids[i]);
      KnownRows::Key& key = known_.key(numbers[i]);
      auto cell = static_cast<std::uint32_t>(i);
      if (!is_latest(key, at)) {
        judge_between(key, at, cell);
        continue;
      }
      known_.frames().enter(key.latest, ids[i], [](RowId) {});
      known_.frames().give(key.latest, cell);
    }
    OverRows over{ids, known_.frames().run(ids.size()), {}};
    return push_over(parts_, known_.rows(), over, context);
  }

  void pass(Watermark watermark) { known_.pass(watermark); }

  void snapshot(StateWriter& writer) const override {
    writer.section("over at once", 2);
    known_.snapshot(writer);
  }
  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("over at once", 2); !section) return fail(section);
    known_.restore(reader);
    const KeyTable& table = known_.table();
    for (KeyTable::Number number = 0; number < table.number_end(); ++number) {
      if (parts_.slides() && table.has(number)) fill_latest(known_.key(number));
    }
    (void)known_.frames().run(0);
    return {};
  }
  std::size_t bytes() const override { return known_.bytes(); }

 private:
  // Whether no row of the key that came before is behind it. In frames of time those of its own
  // time count for it.
  bool is_latest(const KnownRows::Key& key, std::size_t at) const {
    if (!parts_.frame.range_ms) return at + 1 == key.rows.size();
    return key.rows.back().time_ms == key.rows[at].time_ms;
  }

  // A row that others are behind.
  void judge_between(KnownRows::Key& key, std::size_t at, std::uint32_t cell) {
    Frames& frames = known_.frames();
    std::size_t end = at + 1;
    while (parts_.frame.range_ms && key.rows[end].time_ms == key.rows[at].time_ms) {
      ++end;
    }
    Frame between = frames.make();
    known_.fill(between, key, known_.frame_begin(key, at), end);
    frames.give(between, cell);
    frames.drop(between);
    if (!parts_.slides()) return frames.add(key.latest, key.rows[at].id);
    if (at < known_.frame_begin(key, key.rows.size() - 1)) return;
    frames.clear(key.latest);
    fill_latest(key);
  }

  void fill_latest(KnownRows::Key& key) {
    if (key.rows.empty()) return;
    std::size_t last = key.rows.size() - 1;
    known_.fill(key.latest, key, known_.frame_begin(key, last), last + 1);
  }

  const OverParts& parts_;
  KnownRows known_;
};

std::unique_ptr<OperatorState> OverAtOnce::make_state() const {
  return std::make_unique<State>(parts_);
}

Result<void> OverAtOnce::take(OperatorState& state, const column::Chunk& chunk,
                              std::vector<std::uint32_t> rows, Context& context) const {
  return static_cast<State&>(state).judge(chunk, rows, context);
}

Result<void> OverAtOnce::advance(OperatorState& state, Watermark watermark, Context&) const {
  static_cast<State&>(state).pass(watermark);
  return {};
}

}  // namespace leat::operators
