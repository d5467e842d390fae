// Nexmark's queries over the events of src/generate, on one core: as graphs of Leat's operators,
// and beside each the same query as a programmer would write it, over the same chunks, which are
// made beforehand. Both have to give the same rows in the end.
//
//   bench-nexmark [--events N] [--rate EVENTS_PER_SECOND] [--rounds N] [--no-json] [QUERY...]
//
// Prints for each query: millions of events a second (of all three kinds) of Leat's operators, of
// the program, their ratio; what is aimed at; those of a whole task that reads the events as JSON
// from a topic in memory and writes its rows as JSON to nowhere; and, in thousands a second and
// core, what others have published of their own runs on other machines. The first line is the
// generator's own rate with all its columns. Rows that are revised (q7, q15 to q19) are given by
// both sides as often as event time moves on: every 65,536 events, by Leat every 4,096 where it
// judges rows one by one. Seconds are those of the process's CPU, the best of the rounds, since
// machines are shared.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "nexmark/runs.h"

using namespace leat;
using namespace leat::nexmark;

namespace {

struct Settings {
  std::size_t events = 1'000'000;
  double rate = 10'000;
  int rounds = 2;
  bool json = true;
  std::vector<std::string> queries;

  bool wants(std::string_view query) const {
    return queries.empty() || std::find(queries.begin(), queries.end(), query) != queries.end();
  }
};

[[noreturn]] void quit(const std::string& why) {
  fmt::print(stderr, "bench-nexmark: {}\n", why);
  std::exit(1);
}

Settings settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    bool has_value = i + 1 < argc;
    if (name == "--events" && has_value)
      settings.events = std::strtoull(argv[++i], nullptr, 10);
    else if (name == "--rate" && has_value)
      settings.rate = std::atof(argv[++i]);
    else if (name == "--rounds" && has_value)
      settings.rounds = std::atoi(argv[++i]);
    else if (name == "--no-json")
      settings.json = false;
    else if (name.starts_with("q"))
      settings.queries.push_back(name);
    else
      quit("what is " + name + "? The first lines of bench/nexmark.cpp say what there is");
  }
  if (settings.events == 0 || settings.rate <= 0 || settings.rounds <= 0) quit("nothing to do");
  return settings;
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Millions of events a second in the best round.
template <class Run>
double best_rate(const Settings& settings, const Run& run) {
  double best = 1e9;
  for (int i = 0; i < settings.rounds; ++i) {
    double start = cpu_seconds();
    run();
    best = std::min(best, cpu_seconds() - start);
  }
  return static_cast<double>(settings.events) / best / 1e6;
}

std::string or_dash(double value, int digits) {
  return value > 0 ? fmt::format("{:.{}f}", value, digits) : "-";
}

struct Input {
  Events events;
  SideInput side;
  std::unique_ptr<stream::MemoryTopics> topics;  // null if that is not wanted
};

/// Whether both gave the same.
bool measure(const Settings& settings, const Query& query, const Program& program,
             const Input& input) {
  BoundQuery bound(query);
  Answer leat(Answer::Mode::compare), by_hand(Answer::Mode::compare);
  run_leat(bound, input.events, input.side, leat);
  run_by_hand(program, input.events, input.side, by_hand);
  bool same = leat == by_hand;
  double of_leat = best_rate(settings, [&] {
    Answer answer(Answer::Mode::look);
    run_leat(bound, input.events, input.side, answer);
  });
  double of_program = best_rate(settings, [&] {
    Answer answer(Answer::Mode::look);
    run_by_hand(program, input.events, input.side, answer);
  });
  double of_json = 0;
  if (input.topics) {
    of_json = best_rate(settings, [&] { run_json(bound, *input.topics); });
  }
  const Published& others = query.published;
  fmt::print("{:<5} {:>7.2f} {:>8.2f} {:>6.2f} {:>5} {:>7} {:>7} {:>7} {:>8} {:>11} {:>9} {}{}{}\n",
             query.name, of_leat, of_program, of_leat / of_program, or_dash(query.aim, 1),
             or_dash(of_json, 2), or_dash(others.flink, 0), or_dash(others.flink2, 0),
             or_dash(others.feldera, 0), or_dash(others.rising_wave, 0), leat.rows(),
             same ? "same" : fmt::format("DIFFERENT: by hand {}", by_hand.rows()),
             query.differs[0] != '\0' ? "; " : "", query.differs);
  std::fflush(stdout);
  return same;
}

void measure_generator(const Settings& settings, const generate::NexmarkOptions& options) {
  double rate = best_rate(settings, [&] {
    EventMaker maker(options, 0);
    for (std::size_t left = settings.events; left > 0;) {
      left -= maker.make(std::min(left, column::chunk_rows)).rows;
    }
  });
  double json =
      settings.json ? best_rate(settings, [&] { make_topic(options, settings.events); }) : 0;
  fmt::print("{:<5} {:>7.2f} {:>8} {:>6} {:>5} {:>7}\n", "made", rate, "", "", "",
             or_dash(json, 2));
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings = settings_of(argc, argv);
  generate::NexmarkOptions options;
  options.rate = settings.rate;
  fmt::print(
      "{} events, {} a second of event time; M events/s of one core, and what others "
      "published in k events/s and core\n",
      settings.events, settings.rate);
  fmt::print("{:<5} {:>7} {:>8} {:>6} {:>5} {:>7} {:>7} {:>7} {:>8} {:>11} {:>9} {}\n", "query",
             "leat", "by hand", "ratio", "aim", "JSON", "Flink1", "Flink2", "Feldera", "RisingWave",
             "rows", "answer");
  if (settings.queries.empty()) measure_generator(settings, options);
  Input input{Events(options, settings.events), make_side(), nullptr};
  if (settings.json) {
    input.topics = make_topic(options, settings.events);
    write_side_file(input.side);
  }
  bool all_same = true;
  std::vector<Program> programs = stateless_programs();
  for (const auto& more : {window_programs(), table_programs()}) {
    programs.insert(programs.end(), more.begin(), more.end());
  }
  for (const Query& query : queries()) {
    if (!settings.wants(query.name)) continue;
    auto named = [&](const Program& program) { return program.query == std::string(query.name); };
    auto program = std::find_if(programs.begin(), programs.end(), named);
    if (program == programs.end()) quit(std::string("no program for ") + query.name);
    all_same = measure(settings, query, *program, input) && all_same;
  }
  remove_side_file();
  return all_same ? 0 : 1;
}
