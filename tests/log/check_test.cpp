#include "log/dry_run.h"
#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);

struct Checked {
  std::string text;  // "kind path offsets" for each finding
  CheckReport report;
};

Checked check(Machine& m) {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  Result<CheckReport> report =
      check_directory(m.files, m.options.directory, [&](std::uint64_t d, std::uint64_t t) {
        done = d;
        total = t;
      });
  REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().what));
  CHECK(done == total);
  Checked checked;
  for (const Finding& finding : report->findings) {
    constexpr const char* names[] = {"damage", "cut",     "accepted", "seal",
                                     "index",  "journal", "unknown"};
    std::string file = finding.path.substr(finding.path.find_last_of('/') + 1);
    checked.text += std::string(names[static_cast<int>(finding.kind)]) + " " + file + " " +
                    std::to_string(finding.offsets.base.value()) + ":" +
                    std::to_string(finding.offsets.next.value()) + "; ";
  }
  checked.report = std::move(*report);
  return checked;
}

/// A log of ten batches in segments of three, closed.
void fill(Machine& m) {
  m.log_options.segment_bytes = 220;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  m.executor.run_until_idle();
  m.close();
}

std::string name_of(std::int64_t base, const std::string& suffix) {
  std::string digits = std::to_string(base);
  return std::string(20 - digits.size(), '0') + digits + suffix;
}

TEST_CASE("a check of a good directory counts everything and finds nothing") {
  Machine m;
  fill(m);
  Checked checked = check(m);
  CHECK(checked.text == "");
  CHECK(checked.report.records == 10);
  CHECK(checked.report.batches == 10);
  CHECK(checked.report.partitions == 1);
  CHECK(!checked.report.damaged());
}

TEST_CASE("a check after a kill sees through the journal and changes nothing") {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    Machine m(seed);
    m.log_options.segment_bytes = 220;
    m.open();
    for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    m.power_loss();
    m.files.reset_counts();
    std::vector<std::string> before = m.files.file_paths();
    Checked checked = check(m);
    CHECK(!checked.report.damaged());
    CHECK(checked.report.records == 10);
    CHECK(m.files.counts().writes == 0);
    CHECK(m.files.counts().syncs == 0);
    CHECK(m.files.file_paths() == before);
  }
}

TEST_CASE("a check names the file and the records of a flipped bit") {
  Machine m;
  fill(m);
  m.files.flip_bit(m.segment_path(3), 68 + 65, 2);
  Checked checked = check(m);
  CHECK(checked.text == "damage " + name_of(3, ".log") + " 4:5; ");
  CHECK(checked.report.damaged());
}

TEST_CASE(
    "a batch header that is not one any more is one finding, also where the index leads there") {
  Machine m;
  m.log_options.index_interval_bytes = 1;
  fill(m);
  m.files.flip_bit(m.segment_path(3), 68 + 3, 0);
  m.files.flip_bit(m.segment_path(3), 68 + 9, 3);
  CHECK(check(m).text == "damage " + name_of(3, ".log") + " 4:5; ");
}

TEST_CASE("a sealed segment whose damage was accepted is no damage any more") {
  Machine m;
  fill(m);
  m.files.flip_bit(m.segment_path(3), 68 + 65, 2);
  m.open();
  static_cast<void>(m.read(p1));
  m.executor.run_until_idle();
  bool is_accepted = false;
  m.store->accept_loss(p1, {Offset{4}, Offset{5}},
                       [&](const Result<void>& done) { is_accepted = done.has_value(); });
  m.executor.run_until_idle();
  CHECK(is_accepted);
  m.close();
  CHECK(!check(m).report.damaged());
}

TEST_CASE("a check names what is missing") {
  Machine m;
  fill(m);
  REQUIRE(m.files.remove(m.segment_path(3)).has_value());
  std::string path = m.segment_path(6);
  path.replace(path.size() - 4, 4, ".seal");
  REQUIRE(m.files.remove(path).has_value());
  path.replace(path.size() - 5, 5, ".index");
  REQUIRE(m.files.remove(path).has_value());
  CHECK(check(m).text == "damage " + name_of(3, ".log") + " 3:6; index " + name_of(6, ".index") +
                             " 6:9; seal " + name_of(6, ".seal") + " 6:9; ");
}

TEST_CASE("a directory of no topic is named, and harms nobody") {
  Machine m;
  fill(m);
  REQUIRE(m.files.make_directories("/data/partitions/holiday-photos").has_value());
  Checked checked = check(m);
  CHECK(checked.text == "unknown holiday-photos 0:0; ");
  CHECK(!checked.report.damaged());
}

TEST_CASE("what is no data directory, or a newer one, is refused") {
  Machine m;
  REQUIRE(m.files.make_directories("/data").has_value());
  CHECK(check_directory(m.files, "/data", {}).error().code == Errc::not_found);
  REQUIRE(file::replace_file(m.files, "/data/format", as_bytes("leat data directory, format 2\n"))
              .has_value());
  Result<CheckReport> newer = check_directory(m.files, "/data", {});
  CHECK(newer.error().code == Errc::unsupported_format);
  CHECK(newer.error().what.find("format 2") != std::string::npos);
  CHECK(m.try_open().error().code == Errc::unsupported_format);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
