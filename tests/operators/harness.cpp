#include "operators/harness.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/interpreter.h"
#include "interpreter/records.h"
#include "operators/gather.h"
#include "operators/restarted.h"

namespace leat::operators {

namespace {

using interpreter::Row;
using interpreter::Rows;
using Lines = std::vector<std::string>;

/// A position as the runtime has it, with its own bytes.
struct Place {
  std::uint64_t origin = 0;
  std::int64_t place = 0;
  std::string rest;
  friend auto operator<=>(const Place&, const Place&) = default;
};

Place place_of(const plan::BoundPlan& plan, const Row& row) {
  auto node = static_cast<std::size_t>(row.position[0]);
  bool is_source = std::holds_alternative<plan::Source>(plan.nodes[node].node->body);
  auto number = static_cast<std::int32_t>(node);
  Place place;
  std::size_t words = 0;
  if (is_source) {
    place.origin = column::origin_of(number, static_cast<std::int32_t>(row.position[1]));
    place.place = row.position[2];
    words = 3;
  } else {
    place.origin = column::origin_of(number, 0);
    place.place = row.time;
    words = 1;
  }
  for (; words < row.position.size(); ++words) column::append_word(place.rest, row.position[words]);
  return place;
}

std::string text_of(const Place& place) {
  std::string text = fmt::format("@{}/{}", place.origin, place.place);
  for (char byte : place.rest) text += fmt::format(" {:x}", static_cast<unsigned char>(byte));
  return text;
}

std::string line_of(std::int64_t time_ms, const interpreter::Values& values,
                    const plan::Schema& schema) {
  std::string line = std::to_string(time_ms);
  for (std::size_t i = 0; i < values.size(); ++i) {
    line += " " + interpreter::json_text(values[i], schema[i].type);
  }
  return line;
}

/// What came out of an operator, or what the judge says should.
struct Found {
  struct One {
    std::string line;
    std::string partition;  // what it is of, where order within that counts
    std::int64_t time_ms = 0;
  };
  std::vector<One> rows;
  std::map<std::string, int> left;  // of changes
  Lines late;
  Lines bad;

  void change(const std::string& line, interpreter::Kind kind) {
    bool goes = kind == interpreter::Kind::update_before || kind == interpreter::Kind::remove;
    int& count = left[line];
    count += goes ? -1 : 1;
    CHECK_MESSAGE(count >= 0, "taken back, but not there: ", line);
    if (count == 0) left.erase(line);
  }
};

/// Rows of one partition, in its order.
struct Stream {
  std::size_t input = 0;
  std::vector<const Row*> rows;
  std::size_t next = 0;

  bool is_done() const { return next == rows.size(); }
  Watermark watermark() const { return is_done() ? watermark_max : rows[next]->watermark; }
};

interpreter::Kind kind_of(column::RowKind kind) {
  switch (kind) {
    case column::RowKind::insert: return interpreter::Kind::insert;
    case column::RowKind::update_before: return interpreter::Kind::update_before;
    case column::RowKind::update_after: return interpreter::Kind::update_after;
    case column::RowKind::erase: break;
  }
  return interpreter::Kind::remove;
}

column::RowKind kind_of(interpreter::Kind kind) {
  switch (kind) {
    case interpreter::Kind::insert: return column::RowKind::insert;
    case interpreter::Kind::update_before: return column::RowKind::update_before;
    case interpreter::Kind::update_after: return column::RowKind::update_after;
    case interpreter::Kind::remove: break;
  }
  return column::RowKind::erase;
}

/// Gives an operator its rows, and takes what comes out.
class Driver : public Context {
 public:
  Driver(const Trial& trial, const plan::BoundPlan& plan, std::size_t node,
         const interpreter::Outcome& outcome, std::uint64_t seed, const Make& make)
      : trial_(trial),
        plan_(plan),
        node_(node),
        random_(seed),
        operator_(make(plan, node)),
        state_(operator_->make_state()) {
    const auto& inputs = plan.nodes[node].inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      std::map<std::uint64_t, Stream> streams;
      for (const auto& row : outcome.given.at(plan.nodes[inputs[i]].node->name)) {
        streams[place_of(plan, row).origin].rows.push_back(&row);
      }
      for (auto& [origin, stream] : streams) {
        stream.input = i;
        streams_.push_back(std::move(stream));
      }
    }
  }

  const Found& run() {
    while (pick(std::nullopt) != nullptr) {
      feed();
      if (random_.one_in(8)) restart();
      if (random_.one_in(3)) advance();
      if (random_.one_in(12)) update();
    }
    advance_to(watermark_max);
    for (const auto& [chunk, lines] : given_) {
      CHECK_MESSAGE(lines_of(chunk) == lines, "a chunk changed behind push()");
    }
    return found_;
  }

  Result<void> push(const column::Chunk& chunk) override {
    const auto& schema = plan_.nodes[node_].schema;
    CHECK(chunk.rows <= column::chunk_rows);
    CHECK(chunk.selection.size() > 0);
    REQUIRE(chunk.columns.size() == schema.size());
    for (std::size_t c = 0; c < schema.size(); ++c) {
      CHECK(chunk.columns[c]->type() == schema[c].type);
      CHECK(chunk.columns[c]->size() >= chunk.rows);
    }
    const column::RowContext& context = *chunk.context;
    CHECK(context.runs.back().end == chunk.rows);
    column::RunCursor runs(context);
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      take(chunk, row, runs.run_of(row));
    }
    // Some are looked at again.
    if (++pushed_ % 4 == 0) given_.emplace_back(chunk, lines_of(chunk));
    return {};
  }

  Result<void> push_late(const column::Chunk& chunk, std::span<const std::uint32_t> rows) override {
    std::size_t input = plan_.nodes[node_].inputs[input_];
    for (std::uint32_t row : rows) {
      found_.late.push_back(line_of(chunk.context->event_times_ms[row], values_of(chunk, row),
                                    plan_.nodes[input].schema));
    }
    return {};
  }

  Result<void> reject(const column::Schema& schema, const column::Chunk& chunk, std::uint32_t row,
                      const std::string& reason) override {
    CHECK(schema.size() == chunk.columns.size());
    found_.bad.push_back(fmt::format("{} {}", chunk.context->event_times_ms[row], reason));
    return {};
  }

  std::int64_t now_ms() const override { return 0; }

 private:
  Lines lines_of(const column::Chunk& chunk) const {
    Lines lines;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      lines.push_back(line_of(chunk.context->event_times_ms[row], values_of(chunk, row),
                              plan_.nodes[node_].schema));
    }
    return lines;
  }

  static interpreter::Values values_of(const column::Chunk& chunk, std::uint32_t row) {
    interpreter::Values values;
    for (const auto& column : chunk.columns) values.push_back(column->value(row));
    return values;
  }

  void take(const column::Chunk& chunk, std::uint32_t row, const column::RowRun& run) {
    const column::RowContext& context = *chunk.context;
    std::int64_t time = context.event_times_ms[row];
    column::Position position = context.position(row, run);
    std::string line = line_of(time, values_of(chunk, row), plan_.nodes[node_].schema);
    bool made = run.node == static_cast<std::int32_t>(node_);
    Place place{position.origin, position.place, std::string(position.rest)};
    if (!made) line += text_of(place);
    auto kind = context.kinds.empty() ? column::RowKind::insert : context.kinds[row];
    if (trial_.given == Given::changes) return found_.change(line, kind_of(kind));
    if (kind == column::RowKind::erase) line += " gone";
    // What an input changes later it may change however far event time is.
    bool bound = !plan_.nodes[node_].revises && time >= run.watermark_ms;
    CHECK_MESSAGE((time >= promised_ || !bound), "passes_on() promised ", promised_, ", then came ",
                  line);
    if (trial_.given == Given::in_order) {
      auto now = std::make_pair(time, place);
      CHECK_MESSAGE((!last_ || *last_ < now), "out of order: ", line);
      last_ = now;
    }
    found_.rows.push_back({line, std::to_string(position.origin), time});
  }

  // The stream of the next row, of this input if one is given; none if all is read.
  Stream* pick(std::optional<std::size_t> input) {
    std::vector<Stream*> able;
    bool right_waits = trial_.right_first &&
                       std::any_of(streams_.begin(), streams_.end(), [](const Stream& stream) {
                         return stream.input == 1 && !stream.is_done();
                       });
    for (auto& stream : streams_) {
      if (!stream.is_done() && (!right_waits || stream.input == 1)) able.push_back(&stream);
    }
    Stream* picked = nullptr;
    if (trial_.given == Given::at_once) {
      for (auto* stream : able) {
        auto arrival = [](const Stream& of) { return of.rows[of.next]->arrival; };
        if (picked == nullptr || arrival(*stream) < arrival(*picked)) picked = stream;
      }
      return picked != nullptr && input && picked->input != *input ? nullptr : picked;
    }
    if (input) std::erase_if(able, [&](Stream* stream) { return stream->input != *input; });
    return able.empty() ? nullptr : able[random_.below(able.size())];
  }

  void feed() {
    Stream* stream = pick(std::nullopt);
    input_ = stream->input;
    std::vector<const Row*> rows;
    auto count = static_cast<std::size_t>(random_.between(1, random_.one_in(8) ? 200 : 12));
    while (stream != nullptr && rows.size() < count) {
      rows.push_back(stream->rows[stream->next++]);
      bool changes = trial_.given == Given::at_once || stream->is_done() || random_.one_in(4);
      if (changes) stream = pick(input_);
    }
    auto processed = operator_->process(*state_, input_, chunk_of(rows), *this);
    REQUIRE_MESSAGE(processed.has_value(), processed.error().what);
  }

  // The rows, and between them some that do not count.
  column::Chunk chunk_of(const std::vector<const Row*>& rows) {
    const auto& schema = plan_.nodes[plan_.nodes[node_].inputs[input_]].schema;
    std::vector<const Row*> all;
    std::vector<std::uint32_t> counting;
    for (const auto* row : rows) {
      if (random_.one_in(6)) all.push_back(row);
      counting.push_back(static_cast<std::uint32_t>(all.size()));
      all.push_back(row);
    }
    auto context = std::make_shared<column::RowContext>();
    auto texts = std::make_shared<column::TextArena>();
    context->buffers.push_back({texts});
    column::Chunk chunk;
    for (std::size_t c = 0; c < schema.size(); ++c) {
      auto vector = std::make_shared<column::Vector>(schema[c].type);
      vector->resize(all.size());
      for (std::size_t i = 0; i < all.size(); ++i) vector->set_value(i, all[i]->values[c]);
      own_texts(*vector, 0, all.size(), *texts);
      chunk.columns.push_back(std::move(vector));
    }
    for (const auto* row : all) add_to(*context, *row, *texts);
    auto is_empty = [](std::string_view rest) { return rest.empty(); };
    if (std::all_of(context->rests.begin(), context->rests.end(), is_empty)) context->rests.clear();
    auto inserts = [](column::RowKind kind) { return kind == column::RowKind::insert; };
    if (std::all_of(context->kinds.begin(), context->kinds.end(), inserts)) context->kinds.clear();
    chunk.rows = all.size();
    chunk.selection = all.size() == rows.size() ? column::Selection::all(rows.size())
                                                : column::Selection::of(counting);
    chunk.context = context;
    return chunk;
  }

  void add_to(column::RowContext& context, const Row& row, column::TextArena& texts) {
    Place place = place_of(plan_, row);
    context.event_times_ms.push_back(row.time);
    context.places.push_back(place.place);
    context.rests.push_back(copy_text(place.rest, texts));
    context.kinds.push_back(kind_of(row.kind));
    column::RowRun run;
    run.end = static_cast<std::uint32_t>(context.places.size());
    run.partition = static_cast<std::int32_t>(place.origin & 0xffff'ffff);
    run.node = static_cast<std::int32_t>(place.origin >> 32);
    run.watermark_ms = row.watermark;
    bool goes_on = !context.runs.empty() && context.runs.back().origin() == run.origin() &&
                   context.runs.back().watermark_ms == run.watermark_ms;
    if (goes_on)
      context.runs.back().end = run.end;
    else
      context.runs.push_back(run);
  }

  void advance() {
    Watermark watermark = watermark_max;
    for (const auto& stream : streams_) watermark = std::min(watermark, stream.watermark());
    if (watermark == watermark_min) return;
    bool part_way = watermark_ > watermark_min && watermark < watermark_max && random_.one_in(4) &&
                    watermark > watermark_;
    if (part_way) watermark = random_.between(watermark_, watermark);
    advance_to(watermark);
  }
  void advance_to(Watermark watermark) {
    watermark_ = watermark;
    auto advanced = operator_->advance(*state_, watermark, *this);
    REQUIRE_MESSAGE(advanced.has_value(), advanced.error().what);
    promised_ = operator_->passes_on(watermark);
    CHECK(promised_ <= watermark);
    update();
  }
  void update() {
    auto updated = operator_->update(*state_, *this);
    REQUIRE_MESSAGE(updated.has_value(), updated.error().what);
  }

  void restart() { state_ = restarted(*operator_, *state_); }

  const Trial& trial_;
  const plan::BoundPlan& plan_;
  std::size_t node_;
  Random random_;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<OperatorState> state_;
  std::vector<Stream> streams_;
  std::size_t input_ = 0;  // of the chunk that is processed
  Watermark watermark_ = watermark_min;
  Watermark promised_ = watermark_min;
  std::optional<std::pair<std::int64_t, Place>> last_;
  Found found_;
  std::size_t pushed_ = 0;
  std::vector<std::pair<column::Chunk, Lines>> given_;
};

Found judged(const Trial& trial, const plan::BoundPlan& plan, std::size_t node,
             const interpreter::Outcome& outcome) {
  Found found;
  const auto& schema = plan.nodes[node].schema;
  for (const auto& row : outcome.given.at(trial.node)) {
    std::string line = line_of(row.time, row.values, schema);
    Place place = place_of(plan, row);
    bool made = row.position[0] == static_cast<std::int64_t>(node);
    if (!made) line += text_of(place);
    if (trial.given == Given::changes) {
      found.change(line, row.kind);
      continue;
    }
    if (row.kind == interpreter::Kind::remove) line += " gone";
    found.rows.push_back({line, std::to_string(place.origin), row.time});
  }
  const auto& input_schema = plan.nodes[plan.nodes[node].inputs[0]].schema;
  if (outcome.late.contains(trial.node)) {
    for (const auto& row : outcome.late.at(trial.node)) {
      // Of a join it may be either side's: the right one's has other columns, mostly.
      bool right = row.values.size() != input_schema.size();
      const auto& of = right ? plan.nodes[plan.nodes[node].inputs[1]].schema : input_schema;
      found.late.push_back(line_of(row.time, row.values, of));
    }
  }
  for (const auto& bad : outcome.bad_rows) {
    if (bad.node == trial.node) found.bad.push_back(fmt::format("{} {}", bad.row.time, bad.reason));
  }
  return found;
}

void check_same(const Lines& found, const Lines& expected, const char* what) {
  auto [f, e] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  std::string found_line = f == found.end() ? "nothing" : *f;
  std::string expected_line = e == expected.end() ? "nothing" : *e;
  bool same = f == found.end() && e == expected.end();
  CHECK_MESSAGE(same, what, " ", f - found.begin(), ": ", found_line, " instead of ",
                expected_line);
}

Lines lines_of(const Found& found, Given given) {
  Lines lines;
  auto rows = found.rows;
  auto by_partition = [](const Found::One& a, const Found::One& b) {
    return a.partition < b.partition;
  };
  if (given == Given::as_it_comes) std::stable_sort(rows.begin(), rows.end(), by_partition);
  for (const auto& row : rows) lines.push_back(row.line);
  for (const auto& [line, count] : found.left) lines.push_back(fmt::format("{} {}", line, count));
  return lines;
}

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

void check(const Trial& trial, std::uint64_t seed, const Make& make) {
  CAPTURE(seed);
  CAPTURE(plan::print(trial.plan));
  auto bound = plan::bind(trial.plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  auto outcome = interpreter::interpret(*bound, {trial.logs, 0});
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  std::size_t node = 0;
  while (bound->nodes[node].node->name != trial.node) ++node;
  Found expected = judged(trial, *bound, node, *outcome);
  Driver driver(trial, *bound, node, *outcome, seed, make);
  const Found& found = driver.run();
  check_same(lines_of(found, trial.given), lines_of(expected, trial.given), "row");
  check_same(sorted(found.late), sorted(expected.late), "late row");
  check_same(sorted(found.bad), sorted(expected.bad), "bad row");
}

plan::Source log_source(const std::string& topic, std::int64_t disorder_ms) {
  using plan::Type;
  plan::Source source;
  source.topic = topic;
  source.event_time = "t";
  const plan::Schema fields{{"t", {Type::Kind::timestamp}},
                            {"k", {Type::Kind::text}},
                            {"g", {Type::Kind::bigint}},
                            {"v", {Type::Kind::bigint}},
                            {"r", {Type::Kind::double_precision}},
                            {"m", plan::decimal(8, 2)},
                            {"tags", plan::array_of({Type::Kind::text})}};
  for (const auto& field : fields) {
    plan::SourceColumn& column = source.columns.emplace_back();
    column.name = field.name;
    column.type = field.type;
  }
  source.disorder_ms = disorder_ms;
  source.bad_records.policy = plan::BadRows::Policy::skip;
  return source;
}

plan::Plan plan_of(const std::string& nodes, std::int64_t disorder_ms) {
  auto parsed = plan::parse(R"({"version": 1, "name": "p", "nodes": [)" + nodes + "]}");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what, " in ", nodes);
  plan::Plan plan;
  plan.name = "p";
  plan.bad_rows.policy = plan::BadRows::Policy::skip;
  for (const std::string topic : {"a", "b"}) {
    if (nodes.find('"' + topic + '"') == nodes.npos) continue;
    plan.nodes.push_back({topic, log_source(topic, disorder_ms)});
  }
  plan.nodes.insert(plan.nodes.end(), parsed->nodes.begin(), parsed->nodes.end());
  plan::Sink sink;
  sink.input = plan.nodes.back().name;
  sink.topic = "out";
  sink.changes = plan::Sink::Changes::all;
  plan.nodes.push_back({"out", sink});
  return plan;
}

}  // namespace leat::operators
